package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"
)

// TestCommand runs the command as a script would: read the line, use it, stop
// it.
func TestCommand(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(signal.String(), func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), build(t), "-listen", "127.0.0.1:0", "-account", "000000000000", "-seed", "3")
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			reader := bufio.NewReader(stdout)
			line, err := reader.ReadBytes('\n')
			if err != nil {
				t.Fatal(err)
			}
			useAnnouncement(t, line)
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(reader)
			if err != nil || len(rest) > 0 {
				t.Errorf("after the line: %q, %v", rest, err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "awssim")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// useAnnouncement asks the endpoint of the announced line who its key is.
func useAnnouncement(t *testing.T, line []byte) {
	t.Helper()
	var said announcement
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&said); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	cfg := simtest.Config(said.Endpoint, awssim.Credentials{AccessKey: said.AccessKey, SecretKey: said.SecretKey})
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if *out.Account != "000000000000" || said.Account != "000000000000" || said.Region != "us-east-1" {
		t.Errorf("announced %+v, caller is of account %s", said, *out.Account)
	}
}

func TestFlags(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"-listen", "0.0.0.0:0"}, "only loopback addresses are served"},
		{[]string{"-listen", ":0"}, "only loopback addresses are served"},
		{[]string{"-listen", "192.0.2.1:80"}, "only loopback addresses are served"},
		{[]string{"-listen", "127.0.0.1"}, "-listen"},
		{[]string{"-account", "12"}, "is not twelve digits"},
		{[]string{"-region", "moon"}, "lies in no partition"},
		{[]string{"-latency", "-1s"}, "must not be negative"},
		{[]string{"-latency", "slow"}, "invalid value"},
		{[]string{"-preset", "cosy"}, `preset "cosy" is none of hostile, ideal, realistic`},
		{[]string{"-handshake-delay", "-1s"}, "must not be negative"},
		{[]string{"extra"}, "unexpected argument"},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			err := run(t.Context(), tc.args, io.Discard, io.Discard)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	var help bytes.Buffer
	_ = run(t.Context(), []string{"-h"}, io.Discard, &help) // flag.ErrHelp
	for _, want := range []string{"-listen", "-account", "-region", "-latency", "-seed", "-preset", "-tls", "-handshake-delay", "-state", "/_sim/state", "--endpoint-url"} {
		if !strings.Contains(help.String(), want) {
			t.Errorf("help does not speak of %s", want)
		}
	}
}

// TestEndOfContext ends the server in process.
func TestEndOfContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, nil, writer, io.Discard) }()
	line, err := bufio.NewReader(reader).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(line, []byte(`{"endpoint":"http://127.0.0.1:`)) {
		t.Errorf("announced %s", line)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
