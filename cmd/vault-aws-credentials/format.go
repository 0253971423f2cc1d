package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// format is one form of the output.
type format struct {
	container bool // read by format=container, which gives out no IAM users
	render    func(c credentials, profile string) (string, error)
}

// formats are the forms by their names. process is for STS roles only: the AWS
// command line would make an IAM user each time it is called.
var formats = map[string]format{
	"process": {container: true, render: renderProcess},
	"env":     {render: renderEnv},
	"ini":     {render: renderINI},
}

// processOutput is what AWS's tools read of a credential_process.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html (checked 2026-11)
type processOutput struct {
	Version         int
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
	AccountID       string `json:"AccountId,omitempty"`
}

func renderProcess(c credentials, _ string) (string, error) {
	text, err := json.Marshal(processOutput{
		Version: 1, AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey,
		SessionToken: c.SessionToken, Expiration: c.Expiration, AccountID: c.AccountID,
	})
	return string(text) + "\n", err
}

// renderEnv is for a shell's eval. A session token of before must not stay
// behind beside the keys of an IAM user.
func renderEnv(c credentials, _ string) (string, error) {
	var b strings.Builder
	for _, v := range []struct{ name, value string }{
		{"AWS_ACCESS_KEY_ID", c.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", c.SecretAccessKey},
		{"AWS_SESSION_TOKEN", c.SessionToken},
		{"AWS_CREDENTIAL_EXPIRATION", c.expiration()},
	} {
		if v.value == "" {
			fmt.Fprintf(&b, "unset %s\n", v.name)
			continue
		}
		fmt.Fprintf(&b, "export %s='%s'\n", v.name, strings.ReplaceAll(v.value, "'", `'\''`))
	}
	return b.String(), nil
}

// renderINI is a section of ~/.aws/credentials.
func renderINI(c credentials, profile string) (string, error) {
	if strings.ContainsAny(profile, "[]\r\n") {
		return "", fmt.Errorf("-profile=%q cannot be the name of a section", profile)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[%s]\n", profile)
	for _, v := range []struct{ name, value string }{
		{"aws_access_key_id", c.AccessKeyID}, {"aws_secret_access_key", c.SecretAccessKey}, {"aws_session_token", c.SessionToken},
	} {
		if v.value != "" {
			fmt.Fprintf(&b, "%s = %s\n", v.name, v.value)
		}
	}
	return b.String(), nil
}
