package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"time"
)

// Where programs on AWS find credentials: stand-ins for the two endpoints that
// a machine of AWS offers. They hand out a credential that the script holds.

// serveIMDS stands in for the instance metadata service of EC2, version 2: a
// token has to be fetched first and sent with every request. Sets IMDS.
func serveIMDS(s *script, args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	const folder = "/latest/meta-data/iam/security-credentials/"
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /latest/api/token", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", r.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds"))
		_, _ = w.Write([]byte("imds-token"))
	})
	mux.HandleFunc("GET "+folder, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(args[1])) })
	mux.HandleFunc("GET "+folder+args[1], s.handOut(args[0]))
	s.serve("IMDS", needHeader("X-Aws-Ec2-Metadata-Token", "imds-token", mux))
	return nil
}

// serveContainer stands in for the credentials endpoint of ECS and of EKS pod
// identity. Sets CONTAINER.
func serveContainer(s *script, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	s.serve("CONTAINER", needHeader("Authorization", "container-token", s.handOut(args[0])))
	return nil
}

// serve starts a server for the rest of the script and puts its URL under name.
func (s *script) serve(name string, handler http.Handler) {
	server := httptest.NewServer(handler)
	s.ts.Defer(server.Close)
	s.ts.Setenv(name, server.URL)
}

// handOut answers with the credential that the script holds under a name.
func (s *script) handOut(name string) http.HandlerFunc {
	c := s.named(name)
	return func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"Code": "Success", "Type": "AWS-HMAC",
			"AccessKeyId": c.AccessKeyID, "SecretAccessKey": c.SecretAccessKey, "Token": c.SessionToken,
			"Expiration": time.Now().Add(time.Hour).UTC(),
		})
	}
}

// needHeader refuses requests without the header, but for those that fetch it.
func needHeader(name, value string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.Header.Get(name) != value {
			http.Error(w, "no "+name, http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
