package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"vault-plugin-secrets-aws/internal/devstack"
)

// deployPolicy is what the federation token of the demo may do.
const deployPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`

// A guide takes a visitor around.
type guide struct {
	out   io.Writer
	stack *devstack.Stack
	err   error // the first that happened; after it nothing is shown
}

// tour configures the engine, reads one credential of each kind and revokes
// them, each with the command that a user would type.
func tour(ctx context.Context, out io.Writer, stack *devstack.Stack) error {
	roleARN, err := makeIAMRole(ctx, stack.Sim)
	if err != nil {
		return err
	}
	// Only now: IAM would show a role that is seconds old to nobody yet.
	if _, err := stack.Sim.Control(ctx, http.MethodPost, "preset", []byte(`{"preset":"realistic"}`)); err != nil {
		return err
	}
	register, err := stack.Binaries.RegisterArgs("aws")
	if err != nil {
		return err
	}
	g := &guide{out: out, stack: stack}
	g.say("Register the plugin under the name aws, where it takes the place of the built-in engine.")
	g.vault(ctx, register...)
	g.vault(ctx, "secrets", "enable", "aws")
	g.setUp(ctx, roleARN)
	g.issue(ctx)
	g.revoke(ctx)
	return g.err
}

// setUp writes the root config and three roles.
func (g *guide) setUp(ctx context.Context, roleARN string) {
	sim := g.stack.Sim
	g.say("Give the engine the keys of an IAM user. The endpoints are the simulator's; on AWS leave them out.")
	g.vault(ctx, "write", "aws/config/root",
		"access_key="+sim.AccessKey, "secret_key="+sim.SecretKey, "region="+sim.Region,
		"iam_endpoint="+sim.Endpoint, "sts_endpoint="+sim.Endpoint)
	g.say("Three roles: what a credential is, and what it may do.")
	g.vault(ctx, "write", "aws/roles/reader", "credential_type=iam_user",
		"policy_arns=arn:aws:iam::aws:policy/ReadOnlyAccess")
	g.vault(ctx, "write", "aws/roles/build", "credential_type=federation_token", "policy_document="+deployPolicy)
	g.vault(ctx, "write", "aws/roles/deploy", "credential_type=assumed_role", "role_arns="+roleARN)
}

// issue reads one credential of each role.
func (g *guide) issue(ctx context.Context) {
	g.say("An IAM user of its own for whoever asks:")
	g.vault(ctx, "read", "aws/creds/reader")
	g.users(ctx)
	g.say("A federation token, which AWS ends by itself:")
	g.vault(ctx, "read", "aws/sts/build", "ttl=15m")
	g.say("A session of the IAM role " + iamRole + ":")
	g.vault(ctx, "read", "aws/sts/deploy", "ttl=15m")
}

// revoke ends the leases of the IAM user role.
func (g *guide) revoke(ctx context.Context) {
	g.say("An IAM user lives as long as its lease. Revoke it, and the user is gone:")
	g.vault(ctx, "lease", "revoke", "-prefix", "-sync", "aws/creds/reader")
	g.users(ctx)
}

// say prints a remark.
func (g *guide) say(remark string) {
	if g.err == nil {
		fmt.Fprintf(g.out, "# %s\n\n", remark)
	}
}

// vault shows a vault command and its output.
func (g *guide) vault(ctx context.Context, args ...string) {
	if g.err != nil {
		return
	}
	words := []string{"vault"}
	for _, arg := range args {
		words = append(words, quote(arg))
	}
	command := strings.Join(words, " ")
	fmt.Fprintf(g.out, "$ %s\n", command)
	output, err := g.stack.Command(ctx, args...).CombinedOutput()
	fmt.Fprintf(g.out, "%s\n", output)
	if err != nil {
		g.err = fmt.Errorf("%s: %w", command, err)
	}
}

// users shows which IAM users the simulated account holds.
func (g *guide) users(ctx context.Context) {
	if g.err != nil {
		return
	}
	names, err := g.stack.Sim.Users(ctx)
	if len(names) == 0 {
		names = []string{"none"}
	}
	fmt.Fprintf(g.out, "IAM users in the simulated account: %s\n\n", strings.Join(names, ", "))
	g.err = err
}

var (
	plain      = regexp.MustCompile(`^[\w./:=,@+-]*$`)
	assignment = regexp.MustCompile(`(?s)^(\w+=)(.*)$`)
)

// quote writes an argument as one would type it into a shell.
func quote(arg string) string {
	if plain.MatchString(arg) {
		return arg
	}
	name := ""
	if match := assignment.FindStringSubmatch(arg); match != nil {
		name, arg = match[1], match[2]
	}
	return name + "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
