// Package versitygwapi holds versitygw's IAM server to the contract suite.
package versitygwapi

import (
	"net"
	"testing"

	"github.com/versity/versitygw/iamapi"
	"github.com/versity/versitygw/iamapi/storage"

	"vault-plugin-secrets-aws/internal/awscontract"
)

// TestVersityGW holds versitygw's iamapi to every belief, but for the
// deviations in its table. Account and Region are built into it, and its
// administrator is the root user.
func TestVersityGW(t *testing.T) {
	root := awscontract.Key{ID: "AKIAIOSFODNN7EXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	awscontract.Run(t, awscontract.Backend{
		Name: "versitygw v1.8.0", Endpoint: start(t, root), Region: "us-east-1", Account: "000000000000",
		Admin: root, Root: &root, Deviations: deviations, Missing: missing,
	})
}

// start serves IAM until the test ends and returns the endpoint.
func start(t *testing.T, root awscontract.Key) string {
	t.Helper()
	store, err := storage.New(storage.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	listening := make(chan struct{})
	server, err := iamapi.New(store, iamapi.RootCredentials{Access: root.ID, Secret: root.Secret},
		iamapi.WithQuiet(), iamapi.WithKeepAlive(), iamapi.WithOnListen(func() { close(listening) }))
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	ended := make(chan error, 1)
	go func() { ended <- server.ServeMultiPort([]string{address}) }()
	select {
	case <-listening:
	case err := <-ended:
		t.Fatalf("versitygw: %v", err)
	}
	t.Cleanup(func() {
		if err := server.Shutdown(); err != nil {
			t.Errorf("stop versitygw: %v", err)
		}
		_ = <-ended // that its listener is closed
	})
	return "http://" + address
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
