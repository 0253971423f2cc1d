package awscontract_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"vault-plugin-secrets-aws/internal/awscontract"
)

// motoVersion is the one whose deviations are tabled.
const motoVersion = "5.2.1"

// TestMoto holds moto to every belief, but for the deviations in its table.
func TestMoto(t *testing.T) {
	server := tool(t, "moto_server")
	if server == "" {
		missing(t, "REQUIRE_MOTO", "no moto_server on PATH (pip install 'moto[server]=="+motoVersion+"')")
	}
	if got := installedMoto(t); got != motoVersion {
		t.Logf("moto %s is installed; the deviations are those of %s", got, motoVersion)
	}
	root := awscontract.Key{ID: "AKIAIOSFODNN7EXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	awscontract.Run(t, awscontract.Backend{
		Name: "moto " + motoVersion, Endpoint: startMoto(t, server), Region: "us-east-1", Account: "123456789012",
		Admin: root, Deviations: motoDeviations, Missing: motoMissing,
	})
}

// installedMoto is the version of moto that python3 has, "" if it has none.
func installedMoto(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python(t), "-c", "import moto; print(moto.__version__)")
	cmd.Env = environment(t)
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// startMoto runs moto_server until the test ends and returns its endpoint.
func startMoto(t *testing.T, server string) string {
	t.Helper()
	port := freePort(t)
	var output bytes.Buffer
	cmd := exec.CommandContext(t.Context(), server, "-H", "127.0.0.1", "-p", port)
	cmd.Env, cmd.Stdout, cmd.Stderr = environment(t), &output, &output
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatalf("start moto_server: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // its end is an error: it is killed
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended already
		<-ended
	})
	endpoint := "http://127.0.0.1:" + port
	if err := waitFor(t.Context(), endpoint+"/moto-api/", ended); err != nil {
		_ = cmd.Process.Kill()
		<-ended
		t.Fatalf("moto_server: %v\n%s", err, output.String())
	}
	return endpoint
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// waitFor returns when the URL answers, or says why it will not: a minute has
// passed, or the server has ended.
func waitFor(ctx context.Context, url string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			return resp.Body.Close()
		}
		select {
		case <-tick.C:
		case <-ended:
			return fmt.Errorf("it ended")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
