package awsclient_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/google/go-cmp/cmp"
)

// TestSigningRegion: behind an explicit endpoint IAM is signed for the home
// region of the partition, and for the configured region where that is none of
// AWS's; STS for its endpoint's region, or the configured one.
func TestSigningRegion(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		region, stsRegion string
		want              []string // scopes of IAM and STS
	}{
		{"", "", []string{"us-east-1/iam", "us-east-1/sts"}},
		{"us-east-1", "", []string{"us-east-1/iam", "us-east-1/sts"}},
		{"eu-west-1", "", []string{"us-east-1/iam", "eu-west-1/sts"}},
		{"mx-central-1", "", []string{"us-east-1/iam", "mx-central-1/sts"}},
		{"eu-west-1", "ap-south-1", []string{"us-east-1/iam", "ap-south-1/sts"}},
		{"cn-northwest-1", "", []string{"cn-north-1/iam", "cn-northwest-1/sts"}},
		{"us-gov-east-1", "", []string{"us-gov-west-1/iam", "us-gov-east-1/sts"}},
		{"eusc-de-east-1", "", []string{"eusc-de-east-1/iam", "eusc-de-east-1/sts"}},
		{"us-isob-east-1", "", []string{"us-isob-east-1/iam", "us-isob-east-1/sts"}},
		{"minio", "", []string{"minio/iam", "minio/sts"}},
		{"us-east-1a", "", []string{"us-east-1a/iam", "us-east-1a/sts"}},
	} {
		t.Run(tc.region+" "+tc.stsRegion, func(t *testing.T) {
			server := newRecorder(t, answering(http.StatusForbidden, ""))
			settings := server.settings()
			settings.Region, settings.STS[0].Region = tc.region, tc.stsRegion
			client := mustClient(t, settings)
			_, _ = client.ListAccessKeys(t.Context(), "vault-a")
			_, _ = client.Identity(t.Context())
			scopes := []string{}
			for _, r := range server.seen() {
				scopes = append(scopes, r.scope)
			}
			if diff := cmp.Diff(tc.want, scopes); diff != "" {
				t.Errorf("scopes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPartitions has the simulator judge: it takes IAM's signatures for the home
// region of its partition only.
func TestPartitions(t *testing.T) {
	t.Parallel()
	for _, region := range []string{"eu-central-1", "cn-northwest-1", "us-gov-east-1", "us-iso-east-1", "eusc-de-east-1"} {
		t.Run(region, func(t *testing.T) {
			cloud := newCloud(t, awssim.Options{Region: region})
			settings := cloud.settings()
			settings.Region = region
			client := mustClient(t, settings)
			if got, err := client.CreateUser(t.Context(), lifecycle.UserSpec{Name: "vault-a"}); got != account || err != nil {
				t.Errorf("CreateUser = %q, %v", got, err)
			}
			if _, err := client.Identity(t.Context()); err != nil {
				t.Errorf("Identity: %v", err)
			}
		})
	}
}

// TestConnectionsAreReused: a handshake costs more than the call, so there is one
// connection for IAM and STS together, and one per call at a time.
func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, distant())
	cloud.PutUser(account, "vault-a", "")
	client := mustClient(t, cloud.settings())
	for range 10 {
		mustList(t, client, "vault-a")
		_, err := client.Identity(t.Context())
		mustDo(t, err)
	}
	if got := cloud.connections.Load(); got != 1 {
		t.Errorf("%d connections for calls one after the other, want 1", got)
	}

	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				_, _ = client.ListAccessKeys(t.Context(), "vault-a")
			}
		})
	}
	all.Wait()
	if got := cloud.connections.Load(); got > 40 { // more are dialled than needed, while others come free
		t.Errorf("%d connections for 80 calls of 8 callers", got)
	}
}

// distant is a cloud that is not quicker than anything on a network. Where the
// answer comes while the request's last byte is still being sent, the SDK gives
// the connection up.
func distant() awssim.Options {
	return awssim.Options{Settings: awssim.Settings{Latency: 3 * time.Millisecond}}
}

// TestCheckEndpoint is what config/root takes for an endpoint.
func TestCheckEndpoint(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://iam.amazonaws.com":           "",
		"https://iam.amazonaws.com:8443/path": "",
		"http://127.0.0.1:4566":               "",
		"https://[::1]:9000":                  "",
		"https://10.0.0.1":                    "",
		"":                                    "must begin with https:// (or http:// for a server on a trusted network)",
		"iam.amazonaws.com":                   "must begin with https:// (or http:// for a server on a trusted network)",
		"ftp://iam.amazonaws.com":             "must begin with https:// (or http:// for a server on a trusted network)",
		"https://":                            "names no host",
		"https://:443":                        "names no host",
		"https://a:b@iam.amazonaws.com":       "must not hold a user, a query or a fragment",
		"https://iam.amazonaws.com?x=1":       "must not hold a user, a query or a fragment",
		"https://iam.amazonaws.com#x":         "must not hold a user, a query or a fragment",
		"http://169.254.169.254/latest":       "must not be a link-local address",
		"http://169.254.170.2":                "must not be a link-local address",
		"http://[fe80::1]":                    "must not be a link-local address",
		"http://[fe80::1%25eth0]":             "must not be a link-local address",
		"http://[::ffff:169.254.169.254]":     "must not be a link-local address",
		"http://[fd00:ec2::254]":              "must not be a link-local address",
		"http://2852039166":                   "must not be an address in an unusual spelling",
		"http://0xa9fea9fe":                   "must not be an address in an unusual spelling",
		"http://169.254.43518":                "must not be an address in an unusual spelling",
		"http://0251.0376.0251.0376":          "must not be an address in an unusual spelling",
		"http://169.254.169.254.":             "must not be an address in an unusual spelling",
		"https://minio.s3.0xyz.example":       "",
		"https://node1":                       "",
		"https://%zz":                         "is not a URL",
	} {
		got := ""
		if err := awsclient.CheckEndpoint(text); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("CheckEndpoint(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestKnownRegion: a region has the shape of AWS's, whether it exists or not.
func TestKnownRegion(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]bool{
		"us-east-1": true, "ap-southeast-7": true, "mx-central-1": true, "il-central-1": true,
		"cn-north-1": true, "us-gov-west-1": true, "eusc-de-east-1": true, "eu-isoe-west-1": true, "us-isof-south-1": true,
		"": false, "us-east": false, "minio": false, "us-east-1a": false, "US-EAST-1": false, "xx-east-1": false, "us-east-1\n": false,
	} {
		if got := awsclient.KnownRegion(region); got != want {
			t.Errorf("KnownRegion(%q) = %t, want %t", region, got, want)
		}
	}
}

// TestInsecure: what is warned of.
func TestInsecure(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]bool{"http://a": true, "HTTP://a": true, "https://a": false, "": false, "://": false} {
		if got := awsclient.Insecure(endpoint); got != want {
			t.Errorf("Insecure(%q) = %t, want %t", endpoint, got, want)
		}
	}
}
