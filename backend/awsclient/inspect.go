package awsclient

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// What diagnose looks at. None of the calls changes anything.

// RoleInfo is what IAM tells of an IAM role.
type RoleInfo struct {
	ARN        string
	Trust      string // the trust policy, JSON
	MaxSession time.Duration
}

// FindRole looks an IAM role of the root credentials' account up.
func (c *Client) FindRole(ctx context.Context, name string) (RoleInfo, error) {
	out, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return RoleInfo{}, wrap("iam:GetRole", err)
	}
	if out.Role == nil {
		return RoleInfo{}, incomplete("iam:GetRole", "role")
	}
	trust, err := url.QueryUnescape(aws.ToString(out.Role.AssumeRolePolicyDocument))
	if err != nil {
		return RoleInfo{}, incomplete("iam:GetRole", "trust policy")
	}
	return RoleInfo{
		ARN: aws.ToString(out.Role.Arn), Trust: trust,
		MaxSession: time.Duration(aws.ToInt32(out.Role.MaxSessionDuration)) * time.Second,
	}, nil
}

// FindPolicy looks a managed policy up; attachable is whether AWS attaches it to
// users.
func (c *Client) FindPolicy(ctx context.Context, arn string) (attachable bool, err error) {
	out, err := c.iam.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	if err != nil {
		return false, wrap("iam:GetPolicy", err)
	}
	if out.Policy == nil {
		return false, incomplete("iam:GetPolicy", "policy")
	}
	return out.Policy.IsAttachable, nil
}

// FindGroup reports as awserr.NotFound that there is no such group.
func (c *Client) FindGroup(ctx context.Context, name string) error {
	_, err := c.iam.GetGroup(ctx, &iam.GetGroupInput{GroupName: &name, MaxItems: aws.Int32(1)})
	return wrap("iam:GetGroup", err)
}

// Question asks of a principal, by ARN, whether its policies allow actions on
// resources in a request that carries condition keys.
type Question struct {
	Principal string
	Actions   []string
	Resources []string
	Keys      map[string][]string
}

// Verdict is the answer for an action on a resource.
type Verdict struct {
	Action, Resource string
	Allowed          bool
	Why              string // of what is not allowed, in words
}

// Simulate asks IAM's policy simulator. It goes by the principal's own and its
// groups' policies, its boundary and the organisation's; session policies and
// what a resource says are not looked at.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html (checked 2026-11)
func (c *Client) Simulate(ctx context.Context, q Question) (verdicts []Verdict, err error) {
	in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &q.Principal, ActionNames: q.Actions, ResourceArns: q.Resources}
	for _, key := range slices.Sorted(maps.Keys(q.Keys)) {
		in.ContextEntries = append(in.ContextEntries, types.ContextEntry{
			ContextKeyName: aws.String(key), ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: q.Keys[key],
		})
	}
	pages := iam.NewSimulatePrincipalPolicyPaginator(c.iam, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap("iam:SimulatePrincipalPolicy", err)
		}
		for _, r := range page.EvaluationResults {
			verdicts = append(verdicts, verdictOf(r))
		}
	}
	return verdicts, nil
}

func verdictOf(r types.EvaluationResult) Verdict {
	v := Verdict{
		Action: aws.ToString(r.EvalActionName), Resource: aws.ToString(r.EvalResourceName),
		Allowed: r.EvalDecision == types.PolicyEvaluationDecisionTypeAllowed,
	}
	switch {
	case v.Allowed:
	case r.EvalDecision == types.PolicyEvaluationDecisionTypeExplicitDeny:
		v.Why = "a policy denies it"
	case r.PermissionsBoundaryDecisionDetail != nil && !r.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary:
		v.Why = "its permissions boundary does not allow it"
	case r.OrganizationsDecisionDetail != nil && !r.OrganizationsDecisionDetail.AllowedByOrganizations:
		v.Why = "the organization's service control policies do not allow it"
	default:
		v.Why = "no policy allows it"
	}
	return v
}
