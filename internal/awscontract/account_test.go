package awscontract_test

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"vault-plugin-secrets-aws/internal/awscontract"
)

var acc = flag.Bool("acc", false, "with AWS_ACC=1: hold the real AWS account of the ambient credentials to the contract")

// TestAccount holds AWS itself to every belief, in the account of the ambient
// credentials, which must be a sandbox's and an administrator's. It takes
// hours, makes users, groups, roles and policies under the path /vault-acc/ and
// removes them again. It is never run by default:
//
//	AWS_ACC=1 go test ./internal/awscontract -run TestAccount -acc -timeout 6h
//
// A belief that fails here is wrong: correct it, and the simulator with it.
func TestAccount(t *testing.T) {
	if !*acc || os.Getenv("AWS_ACC") != "1" {
		t.Skip("SKIP: a real AWS account is only asked with AWS_ACC=1 and -acc")
	}
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	who, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	identity, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("account %s as %s", aws.ToString(identity.Account), aws.ToString(identity.Arn))
	awscontract.Run(t, awscontract.Backend{
		Name: "AWS", Region: "us-east-1", Account: aws.ToString(identity.Account),
		Admin: awscontract.Key{ID: who.AccessKeyID, Secret: who.SecretAccessKey, Token: who.SessionToken},
		Lag:   15 * time.Second, Retries: 8,
	})
}
