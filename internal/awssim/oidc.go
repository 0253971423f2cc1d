package awssim

import (
	"cmp"
	"maps"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Quotas of OIDC providers.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxProviders     = 100 // per account
	maxClientIDs     = 100 // per provider
	maxThumbprints   = 5   // per provider
	thumbprintLength = 40  // SHA-1, in hexadecimal
)

// oidcProvider is an OpenID Connect provider that roles can trust.
type oidcProvider struct {
	account     *account
	url         string // without its scheme, as ARNs and condition keys have it
	clientIDs   []string
	thumbprints []string
	created     time.Time
	tags        []tag
}

func (p *oidcProvider) arn() string { return p.account.arn(serviceIAM, "oidc-provider/"+p.url) }

// oidcOperations are IAM's operations on OIDC providers.
func oidcOperations() []operation {
	arn := required("OpenIDConnectProviderArn", arnType)
	clientID := required("ClientID", clientIDType)
	return []operation{
		{
			name: "CreateOpenIDConnectProvider", target: "Url", asks: onNewProvider, run: createProvider,
			members: []member{
				required("Url", providerURLType), optionalIn("ClientIDList", clientIDListType),
				optionalIn("ThumbprintList", thumbprintListType), optionalIn("Tags", tagListType),
			},
		},
		{name: "GetOpenIDConnectProvider", target: arn.name, asks: onProvider, run: getProvider, members: []member{arn}},
		{name: "ListOpenIDConnectProviders", asks: onAccount, run: listProviders},
		{name: "DeleteOpenIDConnectProvider", target: arn.name, asks: onProvider, run: deleteProvider, members: []member{arn}},
		{
			name: "AddClientIDToOpenIDConnectProvider", target: arn.name, asks: onProvider, run: addClientID,
			members: []member{arn, clientID},
		},
		{
			name: "RemoveClientIDFromOpenIDConnectProvider", target: arn.name, asks: onProvider, run: removeClientID,
			members: []member{arn, clientID},
		},
		{
			name: "UpdateOpenIDConnectProviderThumbprint", target: arn.name, asks: onProvider, run: updateThumbprint,
			members: []member{arn, required("ThumbprintList", thumbprintListType)},
		},
	}
}

func onProvider(c *call) []ask { return c.ask(c.in.text("OpenIDConnectProviderArn"), nil) }

func onNewProvider(c *call) []ask {
	bare := strings.TrimPrefix(c.in.text("Url"), "https://")
	return c.askWithTags(c.account.arn(serviceIAM, "oidc-provider/"+bare), "iam:TagOpenIDConnectProvider")
}

// IAM words the absence of a provider in two ways.
const (
	noProvider   = "OpenIDConnect Provider not found for arn %s"
	goneProvider = "OpenId connect Provider %s cannot be found."
)

// namedProvider is the provider of the call's ARN; absent words its absence.
func (c *call) namedProvider(absent string) (*oidcProvider, error) {
	text := c.in.text("OpenIDConnectProviderArn")
	arn, ok := parseARN(text)
	kind, bare, _ := strings.Cut(arn.resource, "/")
	switch {
	case !ok || arn.partition != c.account.partition.name || arn.service != serviceIAM || arn.account == "" || bare == "" && kind != text:
		return nil, validationError("Invalid ARN: %s", text)
	case arn.account != c.account.id:
		return nil, accessDenied("User: %s is not authorized to perform this action on resource: %s", c.caller.arn, text)
	case kind != "oidc-provider":
		return nil, validationError("Invalid resource type in ARN")
	}
	if p := c.account.providers[bare]; p != nil {
		return p, nil
	}
	return nil, noSuchEntity(absent, text)
}

var hostLabel = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// bareURL judges a provider's URL and takes the scheme off it. Which mistake
// has which code: versitygw v1.8.0 iamapi, which measured it.
func bareURL(text string) (string, error) {
	const broken = "Invalid Open ID Connect Provider URL"
	if !strings.Contains(text, "://") {
		return "", validationError(broken)
	}
	bare, secure := strings.CutPrefix(text, "https://")
	if !secure {
		return "", invalidInput(broken + ". The URL must begin with https://.")
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "", validationError(broken)
	}
	plain := u.User == nil && u.RawQuery == "" && u.Fragment == "" && u.Port() == ""
	labels := strings.Split(u.Hostname(), ".")
	if !plain || net.ParseIP(u.Hostname()) == nil && slices.ContainsFunc(labels, func(l string) bool { return !hostLabel.MatchString(l) }) {
		return "", invalidInput(broken + ".")
	}
	return bare, nil
}

// thumbprintInput is the call's ThumbprintList, in lower case as IAM keeps it.
func (c *call) thumbprintInput() ([]string, error) {
	var out []string
	for _, thumbprint := range c.in.list("ThumbprintList") {
		if len(thumbprint) != thumbprintLength {
			return nil, invalidInput("Thumbprint must be exactly %d characters.", thumbprintLength)
		}
		out = append(out, strings.ToLower(thumbprint))
	}
	if len(out) > maxThumbprints {
		return nil, invalidInput("Thumbprint list must contain fewer than %d entries.", maxThumbprints)
	}
	return out, nil
}

// createProvider needs a thumbprint unless IAM can fetch one from the
// provider, which the simulator, reaching nothing, never can.
func createProvider(c *call) ([]node, error) {
	bare, err := bareURL(c.in.text("Url"))
	if err != nil {
		return nil, err
	}
	clientIDs := c.in.list("ClientIDList")
	if len(clientIDs) > maxClientIDs {
		return nil, limitExceeded("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: %d", maxClientIDs)
	}
	thumbprints, err := c.thumbprintInput()
	if err != nil {
		return nil, err
	}
	if len(thumbprints) == 0 {
		return nil, refuse("OpenIdIdpCommunicationError", http.StatusBadRequest, "Could not connect to %s", c.in.text("Url"))
	}
	tags, err := exactTags().add(nil, c.in.tags("Tags"))
	if err != nil {
		return nil, err
	}
	if c.account.providers[bare] != nil {
		return nil, alreadyExists("Provider with url %s already exists.", c.in.text("Url"))
	}
	if len(c.account.providers) >= maxProviders {
		return nil, limitExceeded("Cannot exceed quota for OpenIDConnectProvidersPerAccount: %d", maxProviders)
	}
	p := &oidcProvider{c.account, bare, clientIDs, thumbprints, c.now, tags}
	c.account.providers[bare] = p
	return append([]node{leaf("OpenIDConnectProviderArn", p.arn())}, describeTags(tags)...), nil
}

func getProvider(c *call) ([]node, error) {
	p, err := c.namedProvider(noProvider)
	if err != nil {
		return nil, err
	}
	return append([]node{
		leaf("Url", p.url), texts("ClientIDList", p.clientIDs),
		texts("ThumbprintList", p.thumbprints), stamp("CreateDate", p.created),
	}, describeTags(p.tags)...), nil
}

func listProviders(c *call) ([]node, error) {
	all := slices.SortedFunc(maps.Values(c.account.providers), func(a, b *oidcProvider) int { return cmp.Compare(a.url, b.url) })
	return []node{list("OpenIDConnectProviderList", all, func(p *oidcProvider) []node {
		return []node{leaf("Arn", p.arn())}
	})}, nil
}

func deleteProvider(c *call) ([]node, error) {
	p, err := c.namedProvider(goneProvider)
	if err != nil {
		return nil, err
	}
	delete(c.account.providers, p.url)
	return nil, nil
}

func addClientID(c *call) ([]node, error) {
	p, err := c.namedProvider(noProvider)
	if err != nil {
		return nil, err
	}
	id := c.in.text("ClientID")
	if slices.Contains(p.clientIDs, id) {
		return nil, nil
	}
	if len(p.clientIDs) >= maxClientIDs {
		return nil, limitExceeded("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: %d", maxClientIDs)
	}
	p.clientIDs = append(p.clientIDs, id)
	return nil, nil
}

func removeClientID(c *call) ([]node, error) {
	p, err := c.namedProvider(noProvider)
	if err != nil {
		return nil, err
	}
	p.clientIDs = slices.DeleteFunc(p.clientIDs, func(id string) bool { return id == c.in.text("ClientID") })
	return nil, nil
}

func updateThumbprint(c *call) ([]node, error) {
	p, err := c.namedProvider(noProvider)
	if err != nil {
		return nil, err
	}
	thumbprints, err := c.thumbprintInput()
	if err != nil {
		return nil, err
	}
	if len(thumbprints) == 0 {
		return nil, invalidInput("Thumbprint list must contain at least one entry.")
	}
	p.thumbprints = thumbprints
	return nil, nil
}
