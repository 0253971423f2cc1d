package awscontract

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// kind is a kind of thing that a case makes and cleans up.
type kind int

// In the order in which they are cleaned up.
const (
	aUser kind = iota
	aGroup
	aRole
	aPolicy
	aDevice
)

// thing is what a case may have made. Policies and devices go by ARN.
type thing struct {
	kind kind
	name string
}

// name gives out a name and answers for whatever is made under it.
func (w *world) name(k kind) string {
	w.count++
	return w.owns(k, fmt.Sprintf("%s-%d", w.id, w.count))
}

// owns answers for what is made under a name of the case's choosing.
func (w *world) owns(k kind, name string) string {
	id := name
	if k == aPolicy {
		id = w.arn("policy", name)
	}
	w.made = append(w.made, thing{k, id})
	return name
}

// padded is a name of its own that is n characters long.
func (w *world) padded(k kind, n int) string {
	w.count++
	name := fmt.Sprintf("%s-%d", w.id, w.count)
	return w.owns(k, name+strings.Repeat("x", n-len(name)))
}

// arn is the ARN of something under the case's path.
func (w *world) arn(kind, name string) string {
	return "arn:aws:iam::" + w.backend.Account + ":" + kind + w.path + name
}

// user makes a user.
func (w *world) user(changes ...func(*iam.CreateUserInput)) string {
	in := &iam.CreateUserInput{UserName: aws.String(w.name(aUser)), Path: &w.path}
	for _, change := range changes {
		change(in)
	}
	return *must(w.admin.iam.CreateUser(w.ctx, in)).User.UserName
}

// key makes an access key.
func (w *world) key(user string) Key {
	out := must(w.admin.iam.CreateAccessKey(w.ctx, &iam.CreateAccessKeyInput{UserName: &user}))
	return Key{ID: aws.ToString(out.AccessKey.AccessKeyId), Secret: aws.ToString(out.AccessKey.SecretAccessKey)}
}

// someone makes a user with inline policies and a key that works.
func (w *world) someone(documents ...string) (string, actor) {
	user := w.user()
	for i, document := range documents {
		w.grant(user, fmt.Sprintf("inline-%d", i), document)
	}
	a := w.as(w.key(user))
	w.settle()
	return user, a
}

// grant gives a user an inline policy.
func (w *world) grant(user, policy, document string) {
	must(w.admin.iam.PutUserPolicy(w.ctx, &iam.PutUserPolicyInput{UserName: &user, PolicyName: &policy, PolicyDocument: &document}))
}

// policy makes a managed policy and returns its ARN.
func (w *world) policy(document string) string {
	name := w.name(aPolicy)
	out := must(w.admin.iam.CreatePolicy(w.ctx, &iam.CreatePolicyInput{PolicyName: &name, Path: &w.path, PolicyDocument: &document}))
	return aws.ToString(out.Policy.Arn)
}

func (w *world) group() string {
	name := w.name(aGroup)
	must(w.admin.iam.CreateGroup(w.ctx, &iam.CreateGroupInput{GroupName: &name, Path: &w.path}))
	return name
}

// role makes a role with inline policies and returns its name and ARN.
func (w *world) role(trust string, documents ...string) (name, arn string) {
	return w.roleOf(time.Hour, trust, documents...)
}

// roleOf is role with a longest session.
func (w *world) roleOf(longest time.Duration, trust string, documents ...string) (name, arn string) {
	name = w.name(aRole)
	out := must(w.admin.iam.CreateRole(w.ctx, &iam.CreateRoleInput{
		RoleName: &name, Path: &w.path, AssumeRolePolicyDocument: &trust, MaxSessionDuration: seconds(longest),
	}))
	for i, document := range documents {
		policy := fmt.Sprintf("inline-%d", i)
		must(w.admin.iam.PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: &policy, PolicyDocument: &document}))
	}
	w.settle()
	return name, aws.ToString(out.Role.Arn)
}

// settle waits until what was changed is enforced.
func (w *world) settle() {
	if w.backend.Lag == 0 {
		return
	}
	timer := time.NewTimer(w.backend.Lag)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.ctx.Done():
	}
}

// session is the actor of an assumed role.
func (a actor) session(roleARN string, changes ...func(*sts.AssumeRoleInput)) actor {
	return a.holder(must(a.sts.AssumeRole(a.w.ctx, a.assumeInput(roleARN, changes))).Credentials)
}

// federated is the actor of a federation token.
func (a actor) federated(changes ...func(*sts.GetFederationTokenInput)) actor {
	return a.holder(must(a.sts.GetFederationToken(a.w.ctx, a.federationInput(changes))).Credentials)
}

// withToken is the actor of a session token.
func (a actor) withToken() actor {
	return a.holder(must(a.sts.GetSessionToken(a.w.ctx, &sts.GetSessionTokenInput{})).Credentials)
}

// holder is who holds temporary credentials.
func (a actor) holder(c *ststypes.Credentials) actor {
	return a.w.as(Key{aws.ToString(c.AccessKeyId), aws.ToString(c.SecretAccessKey), aws.ToString(c.SessionToken)})
}

func seconds(d time.Duration) *int32 { return aws.Int32(int32(d / time.Second)) }

func iamTag(key, value string) iamtypes.Tag { return iamtypes.Tag{Key: &key, Value: &value} }

func stsTag(key, value string) ststypes.Tag { return ststypes.Tag{Key: &key, Value: &value} }

// allow is a policy document of one statement; actions are separated by spaces.
func allow(actions, resource string) string { return statement("Allow", actions, resource, "{}") }

func deny(actions, resource string) string { return statement("Deny", actions, resource, "{}") }

func statement(effect, actions, resource, condition string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Action":` + quoted(actions) +
		`,"Resource":"` + resource + `","Condition":` + condition + `}]}`
}

func quoted(words string) string { return `["` + strings.ReplaceAll(words, " ", `","`) + `"]` }

// trust is a trust policy that lets a principal assume the role.
func trust(principal string) string { return trustOf(principal, "sts:AssumeRole", "{}") }

func trustOf(principal, actions, condition string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":` +
		quoted(actions) + `,"Condition":` + condition + `}]}`
}

// sized is a policy of n characters that are no white space.
func sized(n int) string {
	before, after := `{"Version":"2012-10-17","Statement":[{"Sid":"`, `","Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	return before + strings.Repeat("x", n-len(before)-len(after)) + after
}
