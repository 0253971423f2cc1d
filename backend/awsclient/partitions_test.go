package awsclient_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"

	"github.com/google/go-cmp/cmp"
)

// variant is which of AWS's families of endpoints the environment asks for.
type variant string

const (
	plain     variant = ""
	fips      variant = "AWS_USE_FIPS_ENDPOINT"
	dualStack variant = "AWS_USE_DUALSTACK_ENDPOINT"
)

// resolution is where the calls for a region go. STS is always signed for the
// region itself.
type resolution struct {
	region  string
	variant variant

	iam       string // host
	iamRegion string // that IAM is signed for: the partition's home
	sts       string // host
}

// resolutions are AWS's partitions, with FIPS and dual stack where AWS has
// published them (the SDK's endpoint rules, checked 2026-11).
var resolutions = []resolution{
	{"us-east-1", plain, "iam.amazonaws.com", "us-east-1", "sts.us-east-1.amazonaws.com"},
	{"eu-west-1", plain, "iam.amazonaws.com", "us-east-1", "sts.eu-west-1.amazonaws.com"},
	{"mx-central-1", plain, "iam.amazonaws.com", "us-east-1", "sts.mx-central-1.amazonaws.com"},
	{"cn-north-1", plain, "iam.cn-north-1.amazonaws.com.cn", "cn-north-1", "sts.cn-north-1.amazonaws.com.cn"},
	{"cn-northwest-1", plain, "iam.cn-north-1.amazonaws.com.cn", "cn-north-1", "sts.cn-northwest-1.amazonaws.com.cn"},
	{"us-gov-west-1", plain, "iam.us-gov.amazonaws.com", "us-gov-west-1", "sts.us-gov-west-1.amazonaws.com"},
	{"us-gov-east-1", plain, "iam.us-gov.amazonaws.com", "us-gov-west-1", "sts.us-gov-east-1.amazonaws.com"},
	{"eusc-de-east-1", plain, "iam.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", "sts.eusc-de-east-1.amazonaws.eu"},
	{"us-iso-east-1", plain, "iam.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", "sts.us-iso-east-1.c2s.ic.gov"},
	{"us-iso-west-1", plain, "iam.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", "sts.us-iso-west-1.c2s.ic.gov"},
	{"us-isob-east-1", plain, "iam.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1", "sts.us-isob-east-1.sc2s.sgov.gov"},
	{"eu-isoe-west-1", plain, "iam.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1", "sts.eu-isoe-west-1.cloud.adc-e.uk"},
	{"us-isof-south-1", plain, "iam.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1", "sts.us-isof-south-1.csp.hci.ic.gov"},
	{"us-isof-east-1", plain, "iam.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1", "sts.us-isof-east-1.csp.hci.ic.gov"},

	{"us-east-2", fips, "iam-fips.amazonaws.com", "us-east-1", "sts-fips.us-east-2.amazonaws.com"},
	{"us-gov-east-1", fips, "iam.us-gov.amazonaws.com", "us-gov-west-1", "sts.us-gov-east-1.amazonaws.com"},

	{"eu-west-1", dualStack, "iam.global.api.aws", "us-east-1", "sts.eu-west-1.api.aws"},
	{"us-gov-east-1", dualStack, "iam.us-gov.api.aws", "us-gov-west-1", "sts.us-gov-east-1.api.aws"},
	{"cn-northwest-1", dualStack, "iam.global.api.amazonwebservices.com.cn", "cn-north-1", "sts.cn-northwest-1.api.amazonwebservices.com.cn"},
	// botocore 1.43 has another host here, iam.eusc-de-east-1.api.amazonwebservices.eu; ours is the SDK's.
	{"eusc-de-east-1", dualStack, "iam.global.api.amazonwebservices.eu", "eusc-de-east-1", "sts.eusc-de-east-1.api.amazonwebservices.eu"},
}

// TestEveryPartition (W21): without explicit endpoints IAM and STS are asked where
// the partition has them, and signed for what it takes. It is not parallel: the
// gate serves one test at a time.
func TestEveryPartition(t *testing.T) {
	behind := impersonate(t)
	setenv(t, map[string]string{"AWS_ACCESS_KEY_ID": "AKIAAMBIENT", "AWS_SECRET_ACCESS_KEY": "s"})
	for _, r := range resolutions {
		t.Run(r.region+" "+string(r.variant), func(t *testing.T) {
			want := []addressed{{r.iam, r.iamRegion + "/iam"}, {r.sts, r.region + "/sts"}}
			if r.variant != plain {
				t.Setenv(string(r.variant), "true") // only ambient credentials hear the environment
				mustAddress(t, behind, awsclient.Settings{Region: r.region}, want)
				return
			}
			mustAddress(t, behind, awsclient.Settings{Region: r.region}, want)
			mustAddress(t, behind, awsclient.Settings{Region: r.region, AccessKey: "AKIASTATIC", SecretKey: "s"}, want)
		})
	}
}

// TestSTSRegionAlone (W22): sts_region holds without an sts_endpoint, and so do
// fallback regions without endpoints of their own.
func TestSTSRegionAlone(t *testing.T) {
	behind := impersonate(t)
	settings := awsclient.Settings{
		AccessKey: "AKIASTATIC", SecretKey: "s", Region: "us-gov-east-1",
		STS: []awsclient.Endpoint{{Region: "us-gov-west-1"}, {Region: "us-gov-east-1"}},
	}
	iam := addressed{"iam.us-gov.amazonaws.com", "us-gov-west-1/iam"}
	first := addressed{"sts.us-gov-west-1.amazonaws.com", "us-gov-west-1/sts"}
	second := addressed{"sts.us-gov-east-1.amazonaws.com", "us-gov-east-1/sts"}
	mustAddress(t, behind, settings, []addressed{iam, first})
	behind.answer = answering(http.StatusServiceUnavailable, "")
	mustAddress(t, behind, settings, []addressed{iam, first, second})
}

// addressed is where a request was sent and what its signature is for.
type addressed struct{ Host, Scope string }

// mustAddress makes a call to IAM and one to STS and compares where they went.
func mustAddress(t *testing.T, behind *impostor, settings awsclient.Settings, want []addressed) {
	t.Helper()
	behind.seen()
	client := mustClient(t, settings)
	_, _ = client.ListAccessKeys(t.Context(), "vault-a")
	_, _ = client.Identity(t.Context())
	if diff := cmp.Diff(want, behind.seen()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// impostor answers for every host of AWS, behind the gate.
type impostor struct {
	mu       sync.Mutex
	requests []addressed
	answer   http.HandlerFunc
}

// ServeHTTP implements http.Handler.
func (i *impostor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, scope := signed(r)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.requests = append(i.requests, addressed{r.Host, scope})
	i.answer(w, r)
}

// seen returns the requests since the last time.
func (i *impostor) seen() []addressed {
	i.mu.Lock()
	defer i.mu.Unlock()
	requests := i.requests
	i.requests = nil
	return requests
}

// impersonate has the gate lead to an impostor until the test ends, whom
// AWS_CA_BUNDLE says to trust.
func impersonate(t *testing.T) *impostor {
	t.Helper()
	i := &impostor{answer: answering(http.StatusForbidden, "")}
	server := httptest.NewUnstartedServer(i)
	certificate := certificateOfAll(t)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	outside.lead(server.Listener.Addr().String())
	t.Cleanup(func() { outside.lead("") })
	t.Setenv("AWS_CA_BUNDLE", mustWrite(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}))))
	return i
}

// certificateOfAll is a certificate for the hosts of the table.
func certificateOfAll(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	mustDo(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	for _, r := range resolutions {
		template.DNSNames = append(template.DNSNames, r.iam, r.sts)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	mustDo(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// splice joins the connection of a CONNECT request to an address.
func splice(w http.ResponseWriter, address string) {
	far, err := net.Dial("tcp", address)
	must(err)
	near, _, err := http.NewResponseController(w).Hijack()
	must(err)
	_, err = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
	must(err)
	go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
	go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
}
