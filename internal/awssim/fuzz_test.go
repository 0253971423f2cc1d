package awssim

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzRequest sends whatever the fuzzer thinks of, signed by the
// administrator. There is an answer of AWS's form to everything: a status, a
// journal line, no panic and no InternalFailure.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		"Action=CreateUser&UserName=ada&Version=2010-05-08",
		"Action=TagUser&UserName=admin&Tags.member.1.Key=k&Tags.member.1.Value=v&Version=2010-05-08",
		"Action=ListUsers&MaxItems=1&Marker=YXdzc2ltOmE=&Version=2010-05-08",
		"Action=AssumeRole&RoleArn=arn:aws:iam::123456789012:role/r&RoleSessionName=ss&Tags.member.1=x&Version=2011-06-15",
		"Action=GetFederationToken&Name=fed&PolicyArns.member.1.arn=arn:aws:iam::aws:policy/ReadOnlyAccess&Version=2011-06-15",
		"Action=CreateOpenIDConnectProvider&Url=https://a.example&ThumbprintList.member.1=a&Version=2010-05-08",
		"Action=PutUserPolicy&UserName=admin&PolicyName=p&PolicyDocument={}&Version=2010-05-08",
		"Action=DeleteVirtualMFADevice&SerialNumber=arn:aws:iam::1:mfa/x&Version=2010-05-08",
		"Action=AssumeRoleWithWebIdentity&RoleArn=arn:aws:iam::123456789012:role/r&RoleSessionName=ss&WebIdentityToken=a.e30.b&Version=2011-06-15",
		"Action=DescribeRegions&Version=2016-11-15", "%zz", "Action", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		sim := New(Options{Seed: 1})
		admin := sim.Admin()
		params, _ := url.ParseQuery(body) // as far as it can be read
		service := map[string]string{versionSTS: serviceSTS, versionEC2: serviceEC2}[params.Get("Version")]
		if service == "" {
			service = serviceIAM
		}
		req := httptest.NewRequest(http.MethodPost, "http://awssim.test/", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		signForTest(sim, req, body, admin, service)
		answer := httptest.NewRecorder()
		sim.ServeHTTP(answer, req)
		if answer.Code == http.StatusInternalServerError || len(sim.Journal()) != 1 {
			t.Errorf("%d %s\n%d calls", answer.Code, answer.Body, len(sim.Journal()))
		}
	})
}

// signForTest signs with the simulator's own arithmetic: what is fuzzed comes
// after the signature.
func signForTest(sim *Sim, r *http.Request, body string, who Credentials, service string) {
	sig := signature{
		accessKey: who.AccessKey, time: sim.Now().Format(basicTime), date: sim.Now().Format("20060102"),
		region: "us-east-1", service: service, headers: []string{"host", "x-amz-date"},
	}
	r.Header.Set("X-Amz-Date", sig.time)
	req := &request{method: r.Method, host: r.Host, path: r.URL.EscapedPath(), query: r.URL.Query(), header: r.Header, body: []byte(body)}
	value := sum(sig.signingKey(who.SecretKey), sig.stringToSign(sig.canonicalRequest(req)))
	r.Header.Set("Authorization", algorithm+" Credential="+who.AccessKey+"/"+sig.scope()+
		", SignedHeaders=host;x-amz-date, Signature="+hex.EncodeToString(value))
}

// FuzzPolicy evaluates whatever policy the fuzzer thinks of. A document that
// was accepted says the same when it is read again, and one that has no Allow
// allows nothing.
func FuzzPolicy(f *testing.F) {
	for _, seed := range []string{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}`,
		`{"Statement":{"Effect":"Deny","NotAction":["iam:Get*"],"NotResource":["arn:aws:iam::123456789012:user/${aws:username}"]}}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:iam::*:user/?","Condition":{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":["a*",1,true]},"DateLessThan":{"aws:CurrentTime":"2030-01-01"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}`,
		`{"Statement":[{"Effect":"Allow","Action":"a:b","Resource":"*","Action":"c:d"}]}`, `{}`, `[]`, "\x00",
	} {
		f.Add(seed, "iam:GetUser", "arn:aws:iam::123456789012:user/a")
	}
	f.Fuzz(func(t *testing.T, document, action, resource string) {
		text, err := parseIdentityPolicy(document)
		if err != nil {
			return
		}
		keys := contextKeys{"aws:username": {resource}, "aws:tagkeys": {action, resource}, "aws:sourceip": {"10.1.2.3"}}
		question := ask{action, resource, keys}
		said := text.doc.decide(question)
		again, err := parseIdentityPolicy(document)
		if err != nil || again.doc.decide(question) != said {
			t.Errorf("says %v, then %v, %v", said, again, err)
		}
		if said == allowed && !strings.Contains(document, "Allow") && !strings.Contains(document, `\u`) {
			t.Errorf("allows %s without an Allow", action)
		}
		if _, err := parsePolicy(document, trustRules()); err == nil {
			t.Error("an identity policy is a trust policy too")
		}
	})
}
