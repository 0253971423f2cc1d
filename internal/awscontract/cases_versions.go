package awscontract

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// anything is a policy that allows something.
var anything = allow("s3:*", "*")

// versionBeliefs are about the versions of managed policies.
var versionBeliefs = []belief{{
	id: "CreatePolicyVersion: sixth", source: quotas, want: "200, then 200, then 200, then 200, then 409 LimitExceeded",
	run: func(w *world) string {
		arn, said := w.policy(anything), []string(nil)
		for range 5 {
			said = append(said, w.admin.newVersion(arn, anything, nil))
		}
		return then(said...)
	},
}, {
	id: "DeletePolicy with another version", source: "IAM API Reference, DeletePolicy", want: "200, then 409 DeleteConflict, then 200, then 200",
	run: func(w *world) string {
		arn := w.policy(anything)
		drop := func() string {
			return did(w.admin.iam.DeletePolicyVersion(w.ctx, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: aws.String("v2")}))
		}
		return then(w.admin.newVersion(arn, anything, nil), w.admin.deletePolicy(arn), drop(), w.admin.deletePolicy(arn))
	},
}, {
	id: "DeletePolicyVersion: the default one", source: "IAM API Reference, DeletePolicyVersion", want: conflict,
	run: func(w *world) string {
		arn := w.policy(anything)
		return did(w.admin.iam.DeletePolicyVersion(w.ctx, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: aws.String("v1")}))
	},
}}

// newVersion gives a managed policy another version, which is the default one
// if the input says so.
func (a actor) newVersion(policyARN, document string, change func(*iam.CreatePolicyVersionInput)) string {
	in := &iam.CreatePolicyVersionInput{PolicyArn: &policyARN, PolicyDocument: &document}
	if change != nil {
		change(in)
	}
	return did(a.iam.CreatePolicyVersion(a.w.ctx, in))
}
