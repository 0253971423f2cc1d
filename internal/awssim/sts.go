package awssim

import (
	"net/http"
	"strconv"
	"time"
)

const (
	// maxRootSession is the longest session of the root user; longer ones are
	// cut, not refused.
	// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
	maxRootSession = time.Hour
	// defaultUserSession is what GetFederationToken and GetSessionToken give.
	defaultUserSession = 12 * time.Hour
)

// stsOperations are the operations of STS.
func stsOperations() []operation {
	policy, policyARNs := optionalIn("Policy", sessionPolicyDocumentType), optionalIn("PolicyArns", policyDescriptorListType)
	roleARN, sessionName := required("RoleArn", stsARNType), required("RoleSessionName", roleSessionNameType)
	tags := optionalIn("Tags", tagListType)
	serial, code := optionalIn("SerialNumber", stsSerialNumberType), optionalIn("TokenCode", tokenCodeType)
	return []operation{
		{name: "GetCallerIdentity", run: getCallerIdentity},
		{
			name: "AssumeRole", target: "RoleArn", run: assumeRole,
			members: []member{
				roleARN, sessionName, policyARNs, policy,
				optionalIn("DurationSeconds", roleDurationSecondsType), tags, optionalIn("TransitiveTagKeys", tagKeyListType),
				optionalIn("ExternalId", externalIDType), serial, code, optionalIn("SourceIdentity", sourceIdentityType),
				optionalIn("ProvidedContexts", providedContextsListType),
			},
		},
		{
			name: "AssumeRoleWithWebIdentity", target: "RoleArn", unsigned: true, run: assumeRoleWithWebIdentity,
			members: []member{
				roleARN, sessionName, required("WebIdentityToken", clientTokenType), optionalIn("ProviderId", urlType),
				policyARNs, policy, optionalIn("DurationSeconds", roleDurationSecondsType),
			},
		},
		{
			name: "GetFederationToken", target: "Name", asks: onFederatedUser, run: getFederationToken,
			members: []member{
				required("Name", federatedNameType), policy, policyARNs, optionalIn("DurationSeconds", durationSecondsType), tags,
			},
		},
		{
			name: "GetSessionToken", run: getSessionToken,
			members: []member{optionalIn("DurationSeconds", durationSecondsType), serial, code},
		},
		{
			name: "GetAccessKeyInfo", asks: onAccount, run: getAccessKeyInfo,
			members: []member{required("AccessKeyId", stsAccessKeyIDType)},
		},
	}
}

// getCallerIdentity needs no permission, and no policy can deny it.
func getCallerIdentity(c *call) ([]node, error) {
	return []node{leaf("UserId", c.caller.id), leaf("Account", c.account.id), leaf("Arn", c.caller.arn)}, nil
}

// grantSession makes a session's credentials and stores it.
func (c *call) grantSession(s *session, duration time.Duration) {
	if most := c.sim.settings.MaxSession; most > 0 {
		duration = min(duration, most)
	}
	s.secretKey, s.token = c.sim.ids.key(prefixTemporaryKey), c.sim.ids.sessionToken()
	s.issued, s.expires = c.now, c.now.Add(duration).Truncate(time.Second)
	c.sim.world.sessions[s.id] = s
}

func (s *session) describe() node {
	return branch("Credentials",
		leaf("AccessKeyId", s.id), leaf("SecretAccessKey", s.secret),
		leaf("SessionToken", s.token), stamp("Expiration", s.expires))
}

// describeToken renders the sizes that newer SDKs read
// (aws-sdk-go-v2/service/sts v1.51.8); the share of AWS's maximum is as much
// an estimate as PackedPolicySize.
func (s *session) describeToken(packed int) []node {
	return []node{
		leaf("SessionTokenSize", strconv.Itoa(len(s.token))),
		leaf("SessionTokenUtilization", strconv.Itoa(packed)),
	}
}

// duration is the call's DurationSeconds, or what AWS gives without.
func (c *call) duration(otherwise time.Duration) time.Duration {
	if seconds := c.in.number("DurationSeconds"); seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	return otherwise
}

// userDuration is that of a session of the calling user or root user.
func (c *call) userDuration() time.Duration {
	d := c.duration(defaultUserSession)
	if c.caller.user.isRoot() {
		return min(d, maxRootSession)
	}
	return d
}

// onFederatedUser asks for the token and, if tags are given, for tagging it.
func onFederatedUser(c *call) []ask {
	return c.askWithTags(c.account.arn(serviceSTS, "federated-user/"+c.in.text("Name")), "sts:TagSession")
}

func getFederationToken(c *call) ([]node, error) {
	s := &session{kind: callerFederated, account: c.account, user: c.caller.user, name: c.in.text("Name")}
	packed, err := c.sessionInput(s)
	if err != nil {
		return nil, err
	}
	c.grantSession(s, c.userDuration())
	who := s.caller()
	out := []node{
		s.describe(),
		branch("FederatedUser", leaf("FederatedUserId", who.id), leaf("Arn", who.arn)),
		leaf("PackedPolicySize", strconv.Itoa(packed)),
	}
	return append(out, s.describeToken(packed)...), nil
}

// getSessionToken needs no permission; a code of the user's MFA device makes
// the session one with MFA.
func getSessionToken(c *call) ([]node, error) {
	s := &session{kind: callerSessionToken, account: c.account, user: c.caller.user}
	mfa, err := c.checkMFA()
	if err != nil {
		return nil, err
	}
	s.mfa = mfa
	c.grantSession(s, c.userDuration())
	return append([]node{s.describe()}, s.describeToken(packedBase)...), nil
}

// checkMFA judges SerialNumber and TokenCode. It reports false without them.
func (c *call) checkMFA() (bool, error) {
	serial, code := c.in.text("SerialNumber"), c.in.text("TokenCode")
	if serial == "" && code == "" {
		return false, nil
	}
	if serial == "" || code == "" {
		return false, accessDenied("MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")
	}
	if c.caller.user != nil {
		for _, d := range c.caller.user.devices {
			if d.serial == serial && d.accept(code, c.now) {
				return true, nil
			}
		}
	}
	return false, accessDenied("MultiFactorAuthentication failed with invalid MFA one time pass code.")
}

func getAccessKeyInfo(c *call) ([]node, error) {
	id := c.in.text("AccessKeyId")
	if k := c.sim.world.keys[id]; k != nil {
		return []node{leaf("Account", k.owner.account.id)}, nil
	}
	if s := c.sim.world.sessions[id]; s != nil {
		return []node{leaf("Account", s.account.id)}, nil
	}
	return nil, refuse("ValidationError", http.StatusBadRequest, "Access key %s is not valid.", id)
}
