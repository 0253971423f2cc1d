package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"vault-plugin-secrets-aws/internal/devstack"
)

// iamRole is the IAM role that the demo's engine assumes.
const iamRole = "Deployer"

// makeIAMRole makes, in the simulated account, an IAM role for the engine to
// assume: on AWS somebody has made it long ago.
func makeIAMRole(ctx context.Context, sim *devstack.Sim) (arn string, err error) {
	client := iam.New(iam.Options{
		Region:       sim.Region,
		BaseEndpoint: aws.String(sim.Endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider(sim.AccessKey, sim.SecretKey, ""),
	})
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",`+
		`"Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"sts:AssumeRole"}]}`, sim.Account)
	role, err := client.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String(iamRole), AssumeRolePolicyDocument: aws.String(trust),
	})
	if err != nil {
		return "", fmt.Errorf("make the IAM role %s: %w", iamRole, err)
	}
	_, err = client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: aws.String(iamRole), PolicyName: aws.String("deploy"), PolicyDocument: aws.String(deployPolicy),
	})
	if err != nil {
		return "", fmt.Errorf("give the IAM role %s a policy: %w", iamRole, err)
	}
	return aws.ToString(role.Role.Arn), nil
}
