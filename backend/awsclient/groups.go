package awsclient

import (
	"context"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// GroupPolicies are the policies of IAM groups: documents of the inline ones,
// ARNs of the managed ones.
type GroupPolicies struct {
	Documents []string
	ARNs      []string
}

// GroupPolicies reads the policies of the groups, all pages of them. They limit
// sessions, so an answer that leaves a list or a document out is an error: taken
// for an empty one it would widen what the session may do.
func (c *Client) GroupPolicies(ctx context.Context, groups []string) (GroupPolicies, error) {
	var all GroupPolicies
	for _, group := range groups {
		arns, err := c.attachedToGroup(ctx, group)
		if err != nil {
			return all, err
		}
		documents, err := c.inlineOfGroup(ctx, group)
		if err != nil {
			return all, err
		}
		all.ARNs = append(all.ARNs, arns...)
		all.Documents = append(all.Documents, documents...)
	}
	return all, nil
}

func (c *Client) attachedToGroup(ctx context.Context, group string) (arns []string, err error) {
	pages := iam.NewListAttachedGroupPoliciesPaginator(c.iam, &iam.ListAttachedGroupPoliciesInput{GroupName: &group})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap("iam:ListAttachedGroupPolicies", err)
		}
		if page.AttachedPolicies == nil {
			return nil, incomplete("iam:ListAttachedGroupPolicies", "list")
		}
		for _, policy := range page.AttachedPolicies {
			arns = append(arns, aws.ToString(policy.PolicyArn))
		}
	}
	return arns, nil
}

func (c *Client) inlineOfGroup(ctx context.Context, group string) (documents []string, err error) {
	pages := iam.NewListGroupPoliciesPaginator(c.iam, &iam.ListGroupPoliciesInput{GroupName: &group})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap("iam:ListGroupPolicies", err)
		}
		if page.PolicyNames == nil {
			return nil, incomplete("iam:ListGroupPolicies", "list")
		}
		for _, name := range page.PolicyNames {
			document, err := c.groupPolicy(ctx, group, name)
			if err != nil {
				return nil, err
			}
			documents = append(documents, document)
		}
	}
	return documents, nil
}

// groupPolicy reads one inline policy. IAM returns it URL-encoded, and the SDK
// hands it on as it is.
func (c *Client) groupPolicy(ctx context.Context, group, name string) (string, error) {
	out, err := c.iam.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: &group, PolicyName: &name})
	if err != nil {
		return "", wrap("iam:GetGroupPolicy", err)
	}
	document, err := url.QueryUnescape(aws.ToString(out.PolicyDocument))
	if err != nil || document == "" {
		return "", incomplete("iam:GetGroupPolicy", "policy document")
	}
	return document, nil
}
