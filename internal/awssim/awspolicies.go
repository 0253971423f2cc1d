package awssim

import (
	"strings"
	"time"
)

// awsARN is the ARN of one of AWS's own policies.
func (a *account) awsARN(name string) string { return a.partition.policyARN("/", name) }

func (p *partition) policyARN(path, name string) string {
	return "arn:" + p.name + ":iam::aws:policy" + path + name
}

// allowing is a policy document of one statement.
func allowing(element, values string) string {
	quoted := `"` + strings.ReplaceAll(values, " ", `", "`) + `"`
	return `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "` + element + `": [` + quoted + `], "Resource": "*"}]}`
}

// awsDocuments are the AWS-managed policies that the simulator knows, of some
// 1,500. ReadOnlyAccess is cut down to the services in sight; the others are
// close to AWS's.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/
var awsDocuments = map[string]string{
	"AdministratorAccess":     allowing("Action", "*"),
	"ReadOnlyAccess":          allowing("Action", "ec2:Describe* ec2:Get* iam:Generate* iam:Get* iam:List* iam:Simulate* s3:Get* s3:List* sts:Get*"),
	"AmazonEC2ReadOnlyAccess": allowing("Action", "ec2:Describe* ec2:GetSecurityGroupsForVpc elasticloadbalancing:Describe* cloudwatch:ListMetrics cloudwatch:GetMetricStatistics cloudwatch:Describe* autoscaling:Describe*"),
	"AmazonEC2FullAccess":     allowing("Action", "ec2:* elasticloadbalancing:* cloudwatch:* autoscaling:*"),
	"AmazonS3ReadOnlyAccess":  allowing("Action", "s3:Get* s3:List* s3:Describe* s3-object-lambda:Get* s3-object-lambda:List*"),
	"AmazonS3FullAccess":      allowing("Action", "s3:* s3-object-lambda:*"),
	"IAMReadOnlyAccess":       allowing("Action", "iam:GenerateCredentialReport iam:GenerateServiceLastAccessedDetails iam:Get* iam:List* iam:SimulateCustomPolicy iam:SimulatePrincipalPolicy"),
	"IAMFullAccess":           allowing("Action", "iam:* organizations:DescribeAccount organizations:DescribeOrganization"),
	"SecurityAudit":           allowing("Action", "ec2:Describe* iam:GenerateCredentialReport iam:Get* iam:List* s3:GetBucket* s3:ListAllMyBuckets"),
	// What AWS attaches to the user of a key that it found in public, cut down to
	// the services in sight.
	"AWSCompromisedKeyQuarantineV3": `{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Resource": "*", "Action": [
		"iam:AttachUserPolicy", "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:CreateUser", "iam:PutUserPolicy", "ec2:RunInstances"]}]}`,
	"PowerUserAccess": `{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"},
		{"Effect": "Allow", "Action": ["iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:ListRoles",
			"organizations:DescribeOrganization", "account:ListRegions", "account:GetAccountInformation"], "Resource": "*"}]}`,
}

// awsPolicies are AWS's own policies in a partition, by ARN.
func awsPolicies(p *partition, created time.Time) map[string]*managedPolicy {
	out := map[string]*managedPolicy{}
	for name, raw := range awsDocuments {
		text, err := parseIdentityPolicy(raw)
		must(err)
		arn := p.policyARN("/", name)
		out[arn] = &managedPolicy{
			arn: arn, name: name, path: "/", id: prefixPolicy + strings.ToUpper(name), created: created, aws: true,
		}
		out[arn].firstVersion(text, created)
	}
	return out
}
