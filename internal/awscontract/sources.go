package awscontract

// Where the beliefs come from. The service models are those of botocore 1.43
// (data/iam/2010-05-08, data/sts/2011-06-15); the guides are AWS's
// documentation, with the page's name.
const (
	modelIAM = "botocore 1.43 service model iam/2010-05-08"
	modelSTS = "botocore 1.43 service model sts/2011-06-15"
	quotas   = "IAM User Guide, reference_iam-quotas (IAM and AWS STS quotas)"
	ids      = "IAM User Guide, reference_identifiers"

	refDeleteUser   = "IAM API Reference, DeleteUser; IAM User Guide, id_users_manage"
	refCommonErrors = "IAM API Reference, CommonErrors"
	refCreateKey    = "IAM API Reference, CreateAccessKey"
	refKeys         = "IAM User Guide, id_credentials_access-keys"
	refBoundary     = "IAM User Guide, access_policies_boundaries"
	refTags         = "IAM User Guide, id_tags"
	refGrammar      = "IAM User Guide, reference_policies_grammar"
	refEvaluation   = "IAM User Guide, reference_policies_evaluation-logic"
	refVariables    = "IAM User Guide, reference_policies_variables"
	refConditions   = "IAM User Guide, reference_policies_iam-condition-keys"
	refSimulate     = "IAM API Reference, SimulatePrincipalPolicy"
	refActions      = "Service Authorization Reference, IAM (condition keys of actions)"
	refDenied       = "IAM User Guide, troubleshoot_access-denied"
	refPaging       = "IAM API Reference, ListUsers (Marker, MaxItems, IsTruncated)"
	refSignature    = "IAM User Guide, reference_sigv-troubleshooting"

	refTemporary     = "IAM User Guide, id_credentials_temp_control-access"
	refComparison    = "IAM User Guide, id_credentials_sts-comparison"
	refFederation    = "STS API Reference, GetFederationToken"
	refSessionToken  = "STS API Reference, GetSessionToken"
	refAssume        = "STS API Reference, AssumeRole"
	refIdentity      = "STS API Reference, GetCallerIdentity"
	refChaining      = "IAM User Guide, id_roles (role chaining)"
	refTrust         = "IAM User Guide, reference_policies_elements_principal"
	refCrossAccount  = "IAM User Guide, reference_policies_evaluation-logic-cross-account"
	refExternalID    = "IAM User Guide, id_roles_common-scenarios_third-party"
	refSessionTags   = "IAM User Guide, id_session-tags"
	refSource        = "IAM User Guide, id_credentials_temp_control-access_monitor (source identity)"
	refSessionPolicy = "IAM User Guide, access_policies (session policies)"
	refSignin        = "IAM User Guide, id_roles_providers_enable-console-custom-url"
	refRevoke        = "IAM User Guide, id_roles_use_revoke-sessions"

	threadMapsnap   = "github.com/mapsnap issue 483: Maximum policy size of 2048 bytes exceeded"
	threadPolicies  = "aws-cdk#13515, eks-hybrid#741: Cannot exceed quota for PoliciesPerUser"
	threadConflicts = "aws-nuke#281, #319, #470, #750; cloud-custodian#1663: DeleteConflict"
	threadPacked    = "containers-roadmap#2413: Packed size of session tags consumes 498%"
	threadVersion   = "Meteor-CollectionFS#630, cloudformation-template-generator#90: Policy document must be version 2012-10-17 or greater"
	threadMissing   = "kiam#33: a missing role and a refused trust policy look the same"
	threadSession   = "cloudyr/aws.iam#15: session tokens without MFA on IAM"
	threadBoundary  = "cloud-nuke#973, aws-nuke#715: boundaries and deletion"
)
