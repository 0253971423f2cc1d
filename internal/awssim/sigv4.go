package awssim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"

	// presignedAge is how long STS takes a presigned URL at least, whatever
	// X-Amz-Expires says: EKS tokens state 60 seconds and last 15 minutes.
	// https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html
	presignedAge = 15 * time.Minute

	basicTime = "20060102T150405Z" // ISO 8601, basic format
)

// signature is what a request says about who signed it. Format:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
type signature struct {
	present   bool
	fault     *apiError // it does not even have the form of a signature
	accessKey string
	date      string // of the scope
	region    string
	service   string
	headers   []string // signed ones, lower case, in the order given
	value     string
	time      string        // X-Amz-Date
	token     string        // X-Amz-Security-Token
	expires   time.Duration // of a presigned URL; 0 for a header
	presigned bool
}

// readSignature reads an Authorization header or a presigned URL.
func readSignature(req *request) signature {
	header := req.header.Get("Authorization")
	switch {
	case strings.HasPrefix(header, algorithm+" "):
		return headerSignature(req, header)
	case strings.HasPrefix(header, "AWS "):
		return brokenSignature("AWS Signature Version 2 is not supported.")
	case header == "" && req.query.Get("X-Amz-Algorithm") == algorithm:
		return querySignature(req)
	}
	return signature{}
}

func brokenSignature(format string, args ...any) signature {
	return signature{present: true, fault: refuse("IncompleteSignature", http.StatusBadRequest, format, args...)}
}

func headerSignature(req *request, header string) signature {
	parts := map[string]string{}
	for component := range strings.SplitSeq(header[len(algorithm)+1:], ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(component), "=")
		if !ok {
			return brokenSignature("Authorization component %q is malformed.", strings.TrimSpace(component))
		}
		parts[name] = value
	}
	hashed := sha256.Sum256([]byte(header))
	quoted := "(Hashed with SHA-256 and encoded with Base64) Authorization=" + base64.StdEncoding.EncodeToString(hashed[:])
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if parts[name] == "" {
			return brokenSignature("Authorization header requires '%s' parameter. %s", name, quoted)
		}
	}
	sig := scopedSignature(parts["Credential"])
	if sig.fault != nil {
		return sig
	}
	sig.headers, sig.value = strings.Split(parts["SignedHeaders"], ";"), parts["Signature"]
	sig.token, sig.time = req.header.Get("X-Amz-Security-Token"), signingTime(req.header)
	if sig.time == "" {
		sig.fault = brokenSignature("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. %s", quoted).fault
	}
	return sig
}

// signingTime is X-Amz-Date, or Date in the same format.
func signingTime(header http.Header) string {
	if date := header.Get("X-Amz-Date"); date != "" {
		return date
	}
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return header.Get("Date")
	}
	return date.UTC().Format(basicTime)
}

func querySignature(req *request) signature {
	for _, name := range []string{"X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"} {
		if req.query.Get(name) == "" {
			return brokenSignature("AWS query-string parameters must include '%s'. Re-examine the query-string parameters.", name)
		}
	}
	sig := scopedSignature(req.query.Get("X-Amz-Credential"))
	sig.presigned = true
	sig.headers, sig.value = strings.Split(req.query.Get("X-Amz-SignedHeaders"), ";"), req.query.Get("X-Amz-Signature")
	sig.token, sig.time = req.query.Get("X-Amz-Security-Token"), req.query.Get("X-Amz-Date")
	if seconds, err := strconv.Atoi(req.query.Get("X-Amz-Expires")); err == nil {
		sig.expires = time.Duration(seconds) * time.Second
	}
	return sig
}

// scopedSignature reads "AKID/20260101/us-east-1/iam/aws4_request".
func scopedSignature(credential string) signature {
	fields := strings.Split(credential, "/")
	if len(fields) != 5 {
		return brokenSignature("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'", credential)
	}
	sig := signature{present: true, accessKey: fields[0], date: fields[1], region: fields[2], service: fields[3]}
	if fields[4] != terminator {
		sig.fault = signatureMismatch("Credential should be scoped with a valid terminator: '%s'.", terminator)
	}
	return sig
}

func signatureMismatch(format string, args ...any) *apiError {
	return refuse("SignatureDoesNotMatch", http.StatusForbidden, format, args...)
}

func (s *signature) scope() string {
	return strings.Join([]string{s.date, s.region, s.service, terminator}, "/")
}

// checkForm judges what can be judged without knowing the secret.
func (s *signature) checkForm() error {
	if !slices.Contains(s.headers, "host") {
		return signatureMismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	if _, err := time.Parse(basicTime, s.time); err != nil {
		return refuse("IncompleteSignature", http.StatusBadRequest, "Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", s.time)
	}
	if !strings.HasPrefix(s.time, s.date) || len(s.date) != len("20060102") {
		return refuse("SignatureDoesNotMatch", http.StatusBadRequest, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.")
	}
	return nil
}

// checkTime judges the age of a signature: a header holds for the skew.
func (s *signature) checkTime(now time.Time, skew time.Duration) error {
	at, err := time.Parse(basicTime, s.time)
	if err != nil {
		return err
	}
	stamp := func(t time.Time) string { return t.Format(basicTime) }
	if at.After(now.Add(skew)) {
		return signatureMismatch("Signature not yet current: %s is still later than %s (%s + %d min.)", s.time, stamp(now.Add(skew)), stamp(now), int(skew/time.Minute))
	}
	age := skew
	if s.presigned {
		age = max(skew, s.expires, presignedAge)
	}
	if at.Before(now.Add(-age)) {
		return signatureMismatch("Signature expired: %s is now earlier than %s (%s - %d min.)", s.time, stamp(now.Add(-age)), stamp(now), int(age/time.Minute))
	}
	return nil
}

// checkValue computes the signature from the secret and compares.
func (s *signature) checkValue(req *request, secret string) error {
	canonical := s.canonicalRequest(req)
	toSign := s.stringToSign(canonical)
	want := hex.EncodeToString(sum(s.signingKey(secret), toSign))
	if hmac.Equal([]byte(want), []byte(s.value)) {
		return nil
	}
	return signatureMismatch("The request signature we calculated does not match the signature you provided. "+
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n"+
		"The Canonical String for this request should have been\n'%s'\n\nThe String-to-Sign should have been\n'%s'\n", canonical, toSign)
}

func (s *signature) stringToSign(canonical string) string {
	hashed := sha256.Sum256([]byte(canonical))
	return strings.Join([]string{algorithm, s.time, s.scope(), hex.EncodeToString(hashed[:])}, "\n")
}

func (s *signature) signingKey(secret string) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, terminator} {
		key = sum(key, part)
	}
	return key
}

func sum(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func (s *signature) canonicalRequest(req *request) string {
	body := sha256.Sum256(req.body)
	signed := slices.Sorted(slices.Values(s.headers))
	var headers strings.Builder
	for _, name := range signed {
		headers.WriteString(name + ":" + canonicalHeader(req, name) + "\n")
	}
	return strings.Join([]string{
		req.method, canonicalPath(req.path), canonicalQuery(req.query),
		headers.String(), strings.Join(signed, ";"), hex.EncodeToString(body[:]),
	}, "\n")
}

// canonicalPath escapes an escaped path once more, as every service but S3
// has it.
func canonicalPath(path string) string {
	if path == "" {
		return "/"
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i] = escapeURI(segment)
	}
	return strings.Join(segments, "/")
}

// canonicalQuery sorts the parameters; a presigned URL's signature is not part
// of what it signs.
func canonicalQuery(query url.Values) string {
	var pairs []string
	for name, values := range query {
		if name == "X-Amz-Signature" {
			continue
		}
		for _, value := range values {
			pairs = append(pairs, escapeURI(name)+"="+escapeURI(value))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// canonicalHeader joins a header's values and squeezes their white space.
func canonicalHeader(req *request, name string) string {
	if name == "host" {
		return req.host
	}
	var values []string
	for _, value := range req.header.Values(name) {
		values = append(values, strings.Join(strings.Fields(value), " "))
	}
	return strings.Join(values, ",")
}
