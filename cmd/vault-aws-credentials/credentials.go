package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/vault/api"
)

// credentials are one credential of AWS.
type credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string    // "" for an IAM user
	Expiration      time.Time // zero for an IAM user, which ends with its lease
	AccountID       string    // "" if Vault does not say
}

func (c credentials) session() bool { return c.SessionToken != "" && !c.Expiration.IsZero() }

// expiration is the end in RFC 3339; "" if there is none.
func (c credentials) expiration() string {
	if c.Expiration.IsZero() {
		return ""
	}
	return c.Expiration.UTC().Format(time.RFC3339)
}

// check refuses what would break the line it is printed on.
func (c credentials) check() error {
	for _, value := range []string{c.AccessKeyID, c.SecretAccessKey, c.SessionToken, c.AccountID} {
		if strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
			return errors.New("the answer holds white space where AWS has none")
		}
	}
	if c.AccessKeyID == "" || c.SecretAccessKey == "" {
		return errors.New("the answer holds no AWS credentials: is the path that of an AWS secrets engine?")
	}
	return nil
}

// maxAnswer is far more than AWS's longest session token takes.
const maxAnswer = 1 << 20 // bytes

// ofContainer decodes an answer in the container format. Another engine may
// not know the format and answer with a lease instead.
func ofContainer(body io.Reader) (credentials, error) {
	var answer struct {
		AccessKeyID     string `json:"AccessKeyId"`
		SecretAccessKey string
		Token           string
		Expiration      time.Time
		AccountID       string `json:"AccountId"`
		LeaseID         string `json:"lease_id"`
	}
	if err := json.NewDecoder(io.LimitReader(body, maxAnswer)).Decode(&answer); err != nil {
		return credentials{}, errors.New("the answer is no JSON") // decoding errors quote it
	}
	c := credentials{answer.AccessKeyID, answer.SecretAccessKey, answer.Token, answer.Expiration, answer.AccountID}
	switch {
	case answer.LeaseID != "":
		return c, fmt.Errorf("the engine does not know format=container; it made a credential that nobody uses, with the lease %s: revoke it", answer.LeaseID)
	case !c.session():
		return c, errors.New("the engine does not know format=container")
	}
	return c, c.check()
}

// ofSecret decodes an answer as vault read shows it.
func ofSecret(secret *api.Secret) (credentials, error) {
	if secret == nil {
		return credentials{}, errors.New("there is nothing at this path")
	}
	text := func(field string) string { s, _ := secret.Data[field].(string); return s }
	c := credentials{AccessKeyID: text("access_key"), SecretAccessKey: text("secret_key"), SessionToken: text("session_token")}
	if end, err := time.Parse(time.RFC3339, text("expiration")); err == nil {
		c.Expiration = end
	}
	return c, c.check()
}
