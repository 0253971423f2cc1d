package main

import (
	"flag"
	"fmt"
	"io"
	"net/url"
	"strings"
)

const usage = `Usage: vault-aws-credentials [flags] PATH [PARAMETER=VALUE...]

Reads AWS credentials from Vault and prints them for AWS's tools. PATH and
PARAMETERs are those of vault read: aws/sts/app ttl=1h

The environment is that of the vault command: VAULT_ADDR, VAULT_AGENT_ADDR,
VAULT_TOKEN (else ~/.vault-token), VAULT_NAMESPACE, VAULT_CACERT, VAULT_CLIENT_CERT
and so on.

Flags:
`

// options are what the command line asks for.
type options struct {
	path       string // of the credentials, with the mount
	parameters url.Values
	format     format
	profile    string
	cache      bool

	address, namespace, caCert, tokenFile string // "": by the environment
}

// parse reads the command line. What is wrong with it is on stderr already.
func parse(args []string, stdout, stderr io.Writer) (options, error) {
	o := options{parameters: url.Values{}, format: formats["process"]}
	flags := flag.NewFlagSet("vault-aws-credentials", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	flags.Func("format", "`form` of the output: process, env or ini (default process, for credential_process; STS roles only)", o.setFormat)
	flags.StringVar(&o.profile, "profile", "default", "`name` of the section of -format=ini")
	flags.BoolVar(&o.cache, "cache", false, "keep sessions in the user's cache folder until shortly before they end")
	flags.StringVar(&o.address, "address", "", "`URL` of Vault, or of an agent, instead of VAULT_ADDR")
	flags.StringVar(&o.namespace, "namespace", "", "`path` of the namespace, instead of VAULT_NAMESPACE")
	flags.StringVar(&o.caCert, "ca-cert", "", "PEM `file` of Vault's certificate authority, instead of VAULT_CACERT")
	flags.StringVar(&o.tokenFile, "token-file", "", "`file` with the Vault token, such as Vault Agent's sink")
	show := flags.Bool("version", false, "print version and commit, and exit")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if *show {
		fmt.Fprintf(stdout, "vault-aws-credentials %s (%s)\n", version, commit)
		return o, flag.ErrHelp
	}
	err := o.setArguments(flags.Args())
	if err != nil {
		fmt.Fprintf(stderr, "vault-aws-credentials: %v (see -h)\n", err)
	}
	return o, err
}

func (o *options) setFormat(name string) error {
	f, ok := formats[name]
	if !ok {
		return fmt.Errorf("must be process, env or ini")
	}
	o.format = f
	return nil
}

// setArguments takes in PATH and PARAMETER=VALUE.
func (o *options) setArguments(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("no path: it is that of vault read, such as aws/sts/app")
	}
	o.path = strings.Trim(args[0], "/")
	for _, arg := range args[1:] {
		name, value, ok := strings.Cut(arg, "=")
		switch {
		case !ok || name == "":
			return fmt.Errorf("%q is not PARAMETER=VALUE; flags come before the path", arg)
		case name == "format":
			return fmt.Errorf("format is a flag here: -format")
		}
		o.parameters.Set(name, value)
	}
	return nil
}
