package awscontract

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Versions of the query APIs.
var versions = map[string]string{"iam": "2010-05-08", "sts": "2011-06-15", "ec2": "2016-11-15"}

// signing is how a request is signed that the SDK would not send.
type signing struct {
	service string
	region  string    // "": the backend's
	at      time.Time // zero: now
	without bool      // a signature
}

// raw sends one call past the SDK's own validation. pairs are parameters and
// their values, in turn.
func (a actor) raw(how signing, pairs ...string) string {
	form := url.Values{"Version": {versions[how.service]}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	body := form.Encode()
	req := must(http.NewRequestWithContext(a.w.ctx, http.MethodPost, a.w.backend.url(how.service), strings.NewReader(body)))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	if !how.without {
		a.sign(req, body, how)
	}
	got := a.w.backend.answer(req)
	a.w.note(form.Get("Action"), got)
	return got
}

func (a actor) sign(req *http.Request, body string, how signing) {
	if how.region == "" {
		how.region = a.w.backend.Region
	}
	if how.at.IsZero() {
		how.at = now()
	}
	hash := sha256.Sum256([]byte(body))
	who := must(a.cfg.Credentials.Retrieve(a.w.ctx))
	if err := v4.NewSigner().SignHTTP(a.w.ctx, who, req, hex.EncodeToString(hash[:]), how.service, how.region, how.at); err != nil {
		panic(failure(err.Error()))
	}
}

// url is where a service is: on one endpoint, or at AWS's.
func (b *Backend) url(service string) string {
	switch {
	case b.Endpoint != "":
		return b.Endpoint + "/"
	case service == "iam":
		return "https://iam.amazonaws.com/"
	default:
		return "https://" + service + "." + b.Region + ".amazonaws.com/"
	}
}

// answer sends a request and returns status and code.
func (b *Backend) answer(req *http.Request) string {
	resp, err := b.client().Do(req)
	if err != nil {
		return "no answer"
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "no answer"
	}
	if resp.StatusCode == http.StatusOK {
		return success
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", resp.StatusCode, codeIn(body)))
}

// codeIn finds the error code in the answer of IAM, STS or EC2.
func codeIn(body []byte) string {
	var answer struct {
		Code    string `xml:"Error>Code"`
		EC2Code string `xml:"Errors>Error>Code"`
	}
	if err := xml.Unmarshal(body, &answer); err != nil {
		return "in a form that is no XML"
	}
	return answer.Code + answer.EC2Code
}

// regions asks the one service besides IAM and STS what the actor may do.
func (a actor) regions() string {
	return a.raw(signing{service: "ec2"}, "Action", "DescribeRegions")
}

const mayNot = "403 UnauthorizedOperation" // EC2's word for AccessDenied
