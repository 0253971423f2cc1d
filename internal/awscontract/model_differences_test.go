package awscontract_test

// difference is a deliberate one between simulator and service model.
type difference struct {
	Simulator string
	Model     string
	Why       string
}

// modelDifferences are by operation and parameter.
var modelDifferences = map[string]difference{
	"iam:UpdateAccessKey Status": {
		Simulator: "required string Active|Inactive", Model: "required string Active|Inactive|Expired",
		Why: "Expired is a state that AWS sets and takes from nobody",
	},
	"iam:CreateOpenIDConnectProvider ThumbprintList[]":           thumbprint,
	"iam:UpdateOpenIDConnectProviderThumbprint ThumbprintList[]": thumbprint,
	"sts:AssumeRole Policy": {
		Simulator: `string 1..2048 /[\u0009\u000A\u000D\u0020-\u00FF]+/`, Model: `string 1..0 /[\u0009\u000A\u000D\u0020-\u00FF]+/`,
		Why: "the model's text: session policies are 2,048 characters at most",
	},
	"sts:AssumeRole PolicyArns":                tenPolicies,
	"sts:AssumeRoleWithWebIdentity PolicyArns": tenPolicies,
	"sts:GetFederationToken PolicyArns":        tenPolicies,
}

var tenPolicies = difference{
	Simulator: "list 0..10", Model: "list",
	Why: "the model's text: up to 10 managed policy ARNs",
}

var thumbprint = difference{
	Simulator: "string", Model: "string 40..40",
	Why: "IAM refuses another length in words of its own, after the other parameters",
}

// commonErrors are the codes that any operation may answer, which the models
// therefore leave out.
var commonErrors = map[string]string{ // code -> status
	"AccessDenied":               "403", // IAM User Guide, troubleshoot_access-denied
	"ExpiredToken":               "403", // IAM API Reference, CommonErrors (ExpiredTokenException in newer services)
	"IncompleteSignature":        "400", // IAM API Reference, CommonErrors
	"InternalFailure":            "500", // IAM API Reference, CommonErrors
	"InvalidAction":              "400", // IAM API Reference, CommonErrors
	"InvalidClientTokenId":       "403", // IAM API Reference, CommonErrors
	"MalformedInput":             "400", // versitygw v1.8.0 iamapi: a number that is none
	"MissingAuthenticationToken": "403", // IAM API Reference, CommonErrors
	"MissingParameter":           "400", // IAM API Reference, CommonErrors
	"SignatureDoesNotMatch":      "403", // IAM User Guide, reference_sigv-troubleshooting
	"Throttling":                 "400", // jlevers/selling-partner-api#278: a sample of the wire
	"ValidationError":            "400", // IAM API Reference, CommonErrors
}

// otherErrors are answers of one operation that neither list has.
var otherErrors = map[string]string{}

// oddErrors are pairs of code and status that no service model has, and why
// the simulator answers them all the same.
var oddErrors = map[string]string{
	"400 SignatureDoesNotMatch": "versitygw v1.8.0 iamapi: a scope whose date or service is not the request's",
}
