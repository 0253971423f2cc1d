package awsclient

import (
	"context"
	"errors"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/policy"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

var _ lifecycle.Surveyor = (*Client)(nil)

// ListUsers implements lifecycle.Surveyor.
func (c *Client) ListUsers(ctx context.Context) (users []lifecycle.SeenUser, err error) {
	pages := iam.NewListUsersPaginator(c.iam, &iam.ListUsersInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap("iam:ListUsers", err)
		}
		for _, user := range page.Users {
			users = append(users, lifecycle.SeenUser{
				Name:    aws.ToString(user.UserName),
				Account: policy.AccountOf(aws.ToString(user.Arn)),
				Created: aws.ToTime(user.CreateDate),
			})
		}
	}
	return users, nil
}

// TagsOf implements lifecycle.Surveyor.
func (c *Client) TagsOf(ctx context.Context, user string) (map[string]string, error) {
	tags := make(map[string]string)
	pages := iam.NewListUserTagsPaginator(c.iam, &iam.ListUserTagsInput{UserName: &user})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap("iam:ListUserTags", err)
		}
		for _, tag := range page.Tags {
			tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
		}
	}
	return tags, nil
}

// SignsIn implements lifecycle.Surveyor.
func (c *Client) SignsIn(ctx context.Context, user string) (bool, error) {
	_, err := c.iam.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: &user})
	err = wrap("iam:GetLoginProfile", err)
	if errors.Is(err, awserr.NotFound) {
		return false, nil
	}
	return err == nil, err
}
