package awssim

import "regexp"

// shapeKind is the type of a member's value.
type shapeKind string

const (
	kindText      shapeKind = "string"
	kindNumber    shapeKind = "integer"
	kindTruth     shapeKind = "boolean"
	kindList      shapeKind = "list"
	kindStructure shapeKind = "structure"
)

// shape is the type and the limits of a member, under the name that botocore
// 1.43's service models give it.
type shape struct {
	kind    shapeKind
	min     int    // characters, items, or value of a number
	max     int    // likewise; 0: none
	pattern string // of the whole text, in AWS's notation; "": none
	match   *regexp.Regexp
	enum    []string
	saysAll bool     // says stands for a text of the wrong length too
	says    string   // AWS's own words for a text that does not match its pattern; "": the usual ones
	element *shape   // of a list
	fields  []member // of a structure
}

// member is one parameter of an operation.
type member struct {
	name     string
	shape    *shape
	required bool
	demanded bool // its absence is a MissingParameter of its own
}

func required(name string, s *shape) member   { return member{name: name, shape: s, required: true} }
func optionalIn(name string, s *shape) member { return member{name: name, shape: s} }

// demanded is a required member whose absence some operations report by
// another code than the rest. Which: versitygw v1.8.0 iamapi.
func demanded(name string, s *shape) member {
	return member{name: name, shape: s, required: true, demanded: true}
}

// text is a string shape. The pattern must match the whole value.
func text(minimum, maximum int, pattern string) *shape {
	s := &shape{kind: kindText, min: minimum, max: maximum, pattern: pattern}
	if pattern != "" {
		s.match = regexp.MustCompile(`^(?:` + unicodeEscapes.ReplaceAllString(pattern, `\x{$1}`) + `)$`)
	}
	return s
}

// unicodeEscapes finds AWS's notation of a character: \u0020, \u10000.
var unicodeEscapes = regexp.MustCompile(`\\u(10[0-9A-F]{4}|10000|[0-9A-F]{4})`)

// saying gives the words that AWS uses for a text of the wrong characters.
func (s *shape) saying(words string) *shape {
	s.says = words
	return s
}

// sayingAlways is saying for a text of the wrong length too.
func (s *shape) sayingAlways(words string) *shape {
	s.saysAll = true
	return s.saying(words)
}

func oneOf(values ...string) *shape { return &shape{kind: kindText, enum: values} }

func number(minimum, maximum int) *shape {
	return &shape{kind: kindNumber, min: minimum, max: maximum}
}

func listOf(element *shape, minimum, maximum int) *shape {
	return &shape{kind: kindList, min: minimum, max: maximum, element: element}
}

const (
	namePattern = `[\w+=,.@-]+`
	nameSays    = "It must contain only alphanumeric characters and/or the following: +=,.@_-"
	pathSays    = "It must begin and end with / and contain only alphanumeric characters and/or / characters."
	prefixSays  = "It must begin with the / character and contain only alphanumeric characters and/or / characters."
	asciiSays   = "It must contain only printable ASCII characters."
	keySays     = "It must contain only alphanumeric characters."

	documentPattern = `[\u0009\u000A\u000D\u0020-\u00FF]+`
)

// Shapes of IAM, from botocore 1.43 iam/2010-05-08.
var (
	userNameType           = text(1, 64, namePattern).saying(nameSays)
	existingUserNameType   = text(1, 128, namePattern).saying(nameSays)
	groupNameType          = text(1, 128, namePattern).saying(nameSays)
	roleNameType           = text(1, 64, namePattern).saying(nameSays)
	policyNameType         = text(1, 128, namePattern).saying(nameSays)
	virtualMFADeviceName   = text(1, 0, namePattern).saying(nameSays)
	pathType               = text(1, 512, `(\u002F)|(\u002F[\u0021-\u007E]+\u002F)`).saying(pathSays)
	pathPrefixType         = text(1, 512, `\u002F[\u0021-\u007F]*`).sayingAlways(prefixSays)
	policyPathType         = text(1, 512, `((/[A-Za-z0-9\.,\+@=_-]+)*)/`).saying(pathSays)
	arnType                = text(20, 2048, "")
	tagKeyType             = text(1, 128, `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`)
	tagValueType           = text(0, 256, `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`)
	tagListType            = listOf(tagType, 0, 50)
	tagKeyListType         = listOf(tagKeyType, 0, 50)
	markerType             = text(1, 320, `[\u0020-\u00FF]+`)
	maxItemsType           = number(1, 1000)
	accessKeyIDType        = text(16, 128, `[\w]+`).saying(keySays)
	statusType             = oneOf("Active", "Inactive") // the model has Expired too, which AWS takes from nobody
	policyDocumentType     = text(1, 131072, documentPattern).saying(asciiSays)
	policyDescriptionType  = text(0, 1000, "")
	policyVersionIDType    = text(0, 0, `v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`)
	policyScopeType        = oneOf("All", "AWS", "Local")
	policyUsageType        = oneOf("PermissionsPolicy", "PermissionsBoundary")
	roleDescriptionType    = text(0, 1000, `[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*`)
	roleMaxSessionDuration = number(3600, 43200)
	passwordType           = text(1, 128, documentPattern)
	serialNumberType       = text(9, 256, `[\w+=/:,.@-]+`)
	authenticationCodeType = text(6, 6, `[\d]+`)
	booleanType            = &shape{kind: kindTruth}
	serviceNameType        = text(0, 0, "")
	credentialAgeDaysType  = number(1, 36600)
	publicKeyMaterialType  = text(1, 16384, documentPattern) // there also: certificateBodyType
	publicKeyIDType        = text(20, 128, `[\w]+`)          // there also: serviceSpecificCredentialId
	certificateIDType      = text(24, 128, `[\w]+`)
	actionNameType         = text(3, 128, "")
	resourceNameType       = text(1, 2048, "")
	resourceHandlingType   = text(1, 64, "")
	providerURLType        = text(1, 255, "") // there: OpenIDConnectProviderUrlType
	clientIDType           = text(1, 255, "")
	clientIDListType       = listOf(clientIDType, 0, 0)
	thumbprintType         = text(0, 0, "") // there: exactly 40; IAM says so in words of its own
	thumbprintListType     = listOf(thumbprintType, 0, 0)

	contextEntryType = &shape{kind: kindStructure, fields: []member{
		optionalIn("ContextKeyName", text(5, 256, "")), optionalIn("ContextKeyValues", listOf(text(0, 0, ""), 0, 0)),
		optionalIn("ContextKeyType", oneOf("string", "stringList", "numeric", "numericList", "boolean", "booleanList", "ip", "ipList", "binary", "binaryList", "date", "dateList")),
	}}

	tagType = &shape{kind: kindStructure, fields: []member{
		required("Key", tagKeyType), required("Value", tagValueType),
	}}
)

// Shapes of STS, from botocore 1.43 sts/2011-06-15. A name that IAM has too
// can mean something else there. The model has no maximum for PolicyArns and
// for AssumeRole's Policy, but its text has.
var (
	stsARNType                = text(20, 2048, `[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+`)
	stsSerialNumberType       = text(9, 256, `[\w+=/:,.@-]*`)
	stsAccessKeyIDType        = text(16, 128, `[\w]*`)
	roleSessionNameType       = text(2, 64, `[\w+=,.@-]*`)
	sourceIdentityType        = text(2, 64, `[\w+=,.@-]*`)
	federatedNameType         = text(2, 32, `[\w+=,.@-]*`) // there: userNameType
	externalIDType            = text(2, 1224, `[\w+=,.@:\/-]*`)
	tokenCodeType             = text(6, 6, `[\d]*`)
	roleDurationSecondsType   = number(900, 43200)
	durationSecondsType       = number(900, 129600)
	sessionPolicyDocumentType = text(1, 2048, documentPattern) // there also: unrestrictedSessionPolicyDocumentType
	clientTokenType           = text(4, 20000, "")
	urlType                   = text(4, 2048, "")

	policyDescriptorListType = listOf(&shape{kind: kindStructure, fields: []member{optionalIn("arn", stsARNType)}}, 0, 10)
	providedContextsListType = listOf(&shape{kind: kindStructure, fields: []member{
		optionalIn("ProviderArn", stsARNType), optionalIn("ContextAssertion", text(4, 2048, "")),
	}}, 1, 5)
)
