package awsclient

import (
	"context"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/policy"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// Client is IAM as lifecycle needs it.
var _ lifecycle.Users = (*Client)(nil)

// creating is the option of calls that must not be repeated blindly.
func creating(o *iam.Options) { o.Retryer = refusalsOnly{o.Retryer} }

// CreateUser implements lifecycle.UserMaker.
func (c *Client) CreateUser(ctx context.Context, spec lifecycle.UserSpec) (account string, err error) {
	in := &iam.CreateUserInput{UserName: &spec.Name, Tags: iamTags(spec.Tags)}
	if spec.Path != "" {
		in.Path = &spec.Path
	}
	if spec.Boundary != "" {
		in.PermissionsBoundary = &spec.Boundary
	}
	out, err := c.iam.CreateUser(ctx, in, creating)
	if err != nil {
		return "", wrap("iam:CreateUser", err)
	}
	if out.User != nil {
		account = policy.AccountOf(aws.ToString(out.User.Arn))
		c.learnAccount(account)
	}
	return account, nil
}

// AttachPolicy implements lifecycle.UserMaker.
func (c *Client) AttachPolicy(ctx context.Context, user, policyARN string) error {
	_, err := c.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &user, PolicyArn: &policyARN})
	return wrap("iam:AttachUserPolicy", err)
}

// PutInlinePolicy implements lifecycle.UserMaker.
func (c *Client) PutInlinePolicy(ctx context.Context, user string, policy lifecycle.InlinePolicy) error {
	in := &iam.PutUserPolicyInput{UserName: &user, PolicyName: &policy.Name, PolicyDocument: &policy.Document}
	_, err := c.iam.PutUserPolicy(ctx, in)
	return wrap("iam:PutUserPolicy", err)
}

// JoinGroup implements lifecycle.UserMaker.
func (c *Client) JoinGroup(ctx context.Context, user, group string) error {
	_, err := c.iam.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: &user, GroupName: &group})
	return wrap("iam:AddUserToGroup", err)
}

// CreateAccessKey implements lifecycle.UserMaker.
func (c *Client) CreateAccessKey(ctx context.Context, user string) (lifecycle.AccessKey, error) {
	out, err := c.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &user}, creating)
	if err != nil {
		return lifecycle.AccessKey{}, wrap("iam:CreateAccessKey", err)
	}
	if out.AccessKey == nil || !whole(out.AccessKey.AccessKeyId, out.AccessKey.SecretAccessKey) {
		return lifecycle.AccessKey{}, incomplete("iam:CreateAccessKey", "access key")
	}
	return lifecycle.AccessKey{
		ID:     aws.ToString(out.AccessKey.AccessKeyId),
		Secret: lifecycle.Secret(aws.ToString(out.AccessKey.SecretAccessKey)),
	}, nil
}

// ListAccessKeys implements lifecycle.UserRemover.
func (c *Client) ListAccessKeys(ctx context.Context, user string) (ids []string, err error) {
	keys, err := c.KeysOf(ctx, user)
	for _, key := range keys {
		ids = append(ids, key.ID)
	}
	return ids, err
}

// ListAttachedPolicies implements lifecycle.UserRemover.
func (c *Client) ListAttachedPolicies(ctx context.Context, user string) (arns []string, err error) {
	pages := iam.NewListAttachedUserPoliciesPaginator(c.iam, &iam.ListAttachedUserPoliciesInput{UserName: &user})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap("iam:ListAttachedUserPolicies", err)
		}
		for _, policy := range page.AttachedPolicies {
			arns = append(arns, aws.ToString(policy.PolicyArn))
		}
	}
	return arns, nil
}

// ListInlinePolicies implements lifecycle.UserRemover.
func (c *Client) ListInlinePolicies(ctx context.Context, user string) (names []string, err error) {
	pages := iam.NewListUserPoliciesPaginator(c.iam, &iam.ListUserPoliciesInput{UserName: &user})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap("iam:ListUserPolicies", err)
		}
		names = append(names, page.PolicyNames...)
	}
	return names, nil
}

// ListGroups implements lifecycle.UserRemover.
func (c *Client) ListGroups(ctx context.Context, user string) (names []string, err error) {
	pages := iam.NewListGroupsForUserPaginator(c.iam, &iam.ListGroupsForUserInput{UserName: &user})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap("iam:ListGroupsForUser", err)
		}
		for _, group := range page.Groups {
			names = append(names, aws.ToString(group.GroupName))
		}
	}
	return names, nil
}

// DeleteAccessKey implements lifecycle.UserRemover.
func (c *Client) DeleteAccessKey(ctx context.Context, user, id string) error {
	_, err := c.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &user, AccessKeyId: &id})
	return wrap("iam:DeleteAccessKey", err)
}

// DetachPolicy implements lifecycle.UserRemover.
func (c *Client) DetachPolicy(ctx context.Context, user, policyARN string) error {
	_, err := c.iam.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: &user, PolicyArn: &policyARN})
	return wrap("iam:DetachUserPolicy", err)
}

// DeleteInlinePolicy implements lifecycle.UserRemover.
func (c *Client) DeleteInlinePolicy(ctx context.Context, user, name string) error {
	_, err := c.iam.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: &user, PolicyName: &name})
	return wrap("iam:DeleteUserPolicy", err)
}

// LeaveGroup implements lifecycle.UserRemover.
func (c *Client) LeaveGroup(ctx context.Context, user, group string) error {
	_, err := c.iam.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{UserName: &user, GroupName: &group})
	return wrap("iam:RemoveUserFromGroup", err)
}

// DeleteUser implements lifecycle.UserRemover.
func (c *Client) DeleteUser(ctx context.Context, user string) error {
	_, err := c.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &user})
	return wrap("iam:DeleteUser", err)
}

// CreatedAt implements lifecycle.UserInspector.
func (c *Client) CreatedAt(ctx context.Context, user string) (time.Time, error) {
	out, err := c.iam.GetUser(ctx, &iam.GetUserInput{UserName: &user})
	if err != nil {
		return time.Time{}, wrap("iam:GetUser", err)
	}
	if out.User == nil || out.User.CreateDate == nil {
		return time.Time{}, incomplete("iam:GetUser", "creation date")
	}
	return aws.ToTime(out.User.CreateDate), nil
}

func iamTags(tags map[string]string) []types.Tag {
	var out []types.Tag
	for key, value := range tags {
		out = append(out, types.Tag{Key: aws.String(key), Value: aws.String(value)})
	}
	return out
}
