package awscontract

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// signatureBeliefs are who may speak at all.
func signatureBeliefs() []belief {
	out := []belief{{
		id: "Signature: key that nobody has", source: refCommonErrors, want: unknownKey,
		run: func(w *world) string {
			return w.as(Key{ID: "AKIAIOSFODNN7MISSING", Secret: w.backend.Admin.Secret}).whoami()
		},
	}, {
		id: "Signature: wrong secret", source: refCommonErrors, want: badSignature,
		run: func(w *world) string {
			return w.as(Key{ID: w.key(w.user()).ID, Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}).whoami()
		},
	}, {
		id: "Signature: inactive key", source: refKeys, want: "200, then 200, then 403 InvalidClientTokenId, then 200, then 200",
		run: func(w *world) string {
			user := w.user()
			k := w.key(user)
			a := w.as(k)
			turn := func(status string) string {
				defer w.settle()
				return w.admin.setKey(user, k.ID, status)
			}
			return then(a.whoami(), turn("Inactive"), a.whoami(), turn("Active"), a.whoami())
		},
	}, {
		id: "Signature: deleted key", source: refKeys, want: "200, then 200, then 403 InvalidClientTokenId",
		run: func(w *world) string {
			user := w.user()
			k := w.key(user)
			a := w.as(k)
			remove := func() string {
				defer w.settle()
				return w.admin.deleteKey(user, k.ID)
			}
			return then(a.whoami(), remove(), a.whoami())
		},
	}, {
		id: "Signature: none", source: refCommonErrors, want: "403 MissingAuthenticationToken",
		run: func(w *world) string {
			return w.admin.raw(signing{service: "sts", without: true}, "Action", "GetCallerIdentity")
		},
	}, {
		id: "Signature: session without its token", source: refCommonErrors, want: unknownKey,
		run: func(w *world) string { return w.sessionKey(func(k *Key) { k.Token = "" }).whoami() },
	}, {
		id: "Signature: session with another token", source: refCommonErrors, want: unknownKey,
		run: func(w *world) string { return w.sessionKey(func(k *Key) { k.Token += "x" }).whoami() },
	}}
	return append(out, scopeBeliefs()...)
}

// scopeBeliefs are what a signature must say of Region, service and time.
func scopeBeliefs() []belief {
	whoami := []string{"Action", "GetCallerIdentity"}
	return slices.Concat(
		each("Signature of IAM, Region", "IAM User Guide, id_credentials_temp_region-endpoints; botocore 1.43 endpoint rules (partition's home Region)", []variant[string]{
			{"the partition's home", "us-east-1", success}, {"another", "eu-west-1", badSignature},
		}, func(w *world, region string) string {
			return w.admin.raw(signing{service: "iam", region: region}, "Action", "ListUsers", "PathPrefix", w.path)
		}),
		each("Signature, date", refSignature, []variant[time.Duration]{
			{"a minute off", -time.Minute, success}, {"20 minutes old", -20 * time.Minute, badSignature}, {"20 minutes early", 20 * time.Minute, badSignature},
		}, func(w *world, off time.Duration) string {
			return w.admin.raw(signing{service: "sts", at: now().Add(off)}, whoami...)
		}),
	)
}

// sessionKey is who holds a session's key after it was changed.
func (w *world) sessionKey(change func(*Key)) actor {
	_, a := w.someone()
	arn, _ := a.identity()
	_, role := w.role(trust(arn))
	creds := must(a.session(role).cfg.Credentials.Retrieve(w.ctx))
	k := Key{creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken}
	change(&k)
	return w.as(k)
}

// wireBeliefs are about the query protocol.
var wireBeliefs = []belief{{
	id: "Action: unknown", source: refCommonErrors, want: invalidAction,
	run: func(w *world) string { return w.admin.raw(signing{service: "iam"}, "Action", "NoSuchAction") },
}, {
	id: "Action: of another version", source: refCommonErrors, want: invalidAction,
	run: func(w *world) string {
		return w.admin.raw(signing{service: "iam"}, "Action", "ListUsers", "Version", "2010-05-09")
	},
}, {
	id: "CreateUser, UserName: absent", source: modelIAM, want: invalid,
	run: func(w *world) string { return w.admin.raw(signing{service: "iam"}, "Action", "CreateUser") },
}, {
	id: "GetFederationToken, Name: absent", source: modelSTS, want: invalid,
	run: func(w *world) string {
		_, a := w.someone(allow("sts:*", "*"))
		return a.raw(signing{service: "sts"}, "Action", "GetFederationToken")
	},
}, {
	id: "AssumeRole, RoleSessionName: absent", source: modelSTS, want: invalid,
	run: func(w *world) string {
		return w.admin.raw(signing{service: "sts"}, "Action", "AssumeRole", "RoleArn", w.arn("role", "missing"))
	},
}, {
	id: "Error: code, fault and request id", source: refCommonErrors, want: "NoSuchEntity, fault of the client, with a request id",
	run: func(w *world) string {
		_, err := w.admin.iam.GetUser(w.ctx, &iam.GetUserInput{UserName: aws.String(w.name(aUser))})
		var api smithy.APIError
		var reply *awshttp.ResponseError
		if !errors.As(err, &api) || !errors.As(err, &reply) {
			return outcome(err)
		}
		said := api.ErrorCode() + ", fault of the " + api.ErrorFault().String()
		if reply.ServiceRequestID() != "" {
			said += ", with a request id"
		}
		return said
	},
}, {
	id: "Repeated parameters: lists of structures arrive in order", source: modelIAM, want: "key-0 key-1",
	run: func(w *world) string {
		user := w.name(aUser)
		w.admin.raw(signing{service: "iam"}, "Action", "CreateUser", "UserName", user, "Path", w.path,
			"Tags.member.1.Key", "key-0", "Tags.member.1.Value", "v", "Tags.member.2.Key", "key-1", "Tags.member.2.Value", "v")
		return strings.ReplaceAll(w.tagsOf(user), "=v", "")
	},
}}

// expiryBeliefs are that temporary credentials end.
func expiryBeliefs() []belief {
	source := "STS API Reference, AssumeRole (DurationSeconds); " + refCommonErrors
	return []belief{{
		id: "Session: works until it expires", source: source, needs: []need{needClock}, want: "200, then 403 ExpiredToken",
		run: func(w *world) string {
			session := w.shortSession()
			w.advance(14 * time.Minute)
			said := session.whoami()
			w.advance(2 * time.Minute)
			return then(said, session.whoami())
		},
	}, {
		id: "Session: expired, and IAM", source: source, needs: []need{needClock}, want: expired,
		run: func(w *world) string {
			session := w.shortSession()
			w.advance(16 * time.Minute)
			return session.listUsers()
		},
	}}
}

// shortSession is a role's session of 15 minutes.
func (w *world) shortSession() actor {
	_, a := w.someone()
	arn, _ := a.identity()
	_, role := w.role(trust(arn), allow("iam:*", "*"))
	return a.session(role, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(900) })
}

// advance moves the server's clock until the case ends.
func (w *world) advance(d time.Duration) {
	w.backend.Advance(d)
	w.t.Cleanup(func() { w.backend.Advance(-d) })
}
