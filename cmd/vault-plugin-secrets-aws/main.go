// Command vault-plugin-secrets-aws is an AWS secrets engine for Vault, run by
// Vault as an external plugin. README.md says how to register it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"vault-plugin-secrets-aws/backend"

	"github.com/hashicorp/vault/sdk/plugin"
)

// Set by the linker. version is the content of the VERSION file; Vault compares
// it byte for byte with the version named at registration.
var (
	version = "v0.0.0-dev"
	commit  = "unknown"
)

func main() {
	watchVitals()
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run serves the plugin until Vault ends the process and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	options, err := parse(args, stdout, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	if err := plugin.ServeMultiplex(&plugin.ServeOpts{BackendFactoryFunc: backend.Factory(options)}); err != nil {
		fmt.Fprintln(stderr, "vault-plugin-secrets-aws:", err)
		return 1
	}
	return 0
}

// parse reads the plugin's arguments (vault plugin register -args=…). -version
// is answered on stdout and ends like -help.
func parse(args []string, stdout, stderr io.Writer) (backend.Options, error) {
	options := backend.Options{Version: version}
	flags := flag.NewFlagSet("vault-plugin-secrets-aws", flag.ContinueOnError)
	flags.SetOutput(stderr)
	show := flags.Bool("version", false, "print version and commit, and exit")
	ambient := flags.String("ambient-credentials", "on", "on, or off: forbid all mounts to use the server's own AWS credentials")
	if err := flags.Parse(args); err != nil {
		return options, err
	}
	if *show {
		fmt.Fprintf(stdout, "vault-plugin-secrets-aws %s (%s)\n", version, commit)
		return options, flag.ErrHelp
	}
	switch *ambient {
	case "on":
	case "off":
		options.Ambient = backend.AmbientForbidden
	default:
		err := fmt.Errorf("-ambient-credentials=%s: must be on or off", *ambient)
		fmt.Fprintln(stderr, err)
		return options, err
	}
	return options, nil
}
