package awssim

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Names of the services, as a signature's scope has them.
const (
	serviceIAM = "iam"
	serviceSTS = "sts"
	serviceEC2 = "ec2"
)

// operation is one action of one service: what it takes, what its caller must
// be allowed, and what it does. All are rows of the tables in table_*.go.
type operation struct {
	name     string
	members  []member
	target   string                      // the member that names what is acted on; "": none
	asks     func(*call) []ask           // what the caller must be allowed; nil: nothing
	run      func(*call) ([]node, error) // carries it out; its error is an *apiError
	unsigned bool                        // needs no signature
	service  string                      // set by operations()
}

type operationKey struct{ service, name string }

// operations is the whole table.
func operations() map[operationKey]*operation {
	all := map[operationKey]*operation{}
	for service, rows := range map[string][]operation{
		serviceIAM: slices.Concat(userOperations(), groupOperations(), roleOperations(), policyOperations(), versionOperations(),
			tagOperations(), mfaOperations(), sideKeyOperations(), oidcOperations(), simulateOperations()),
		serviceSTS: stsOperations(),
		serviceEC2: ec2Operations(),
	} {
		for _, row := range rows {
			row.service = service
			all[operationKey{service, row.name}] = &row
		}
	}
	return all
}

// call is one request on its way through the simulator.
type call struct {
	sim       *Sim
	req       *request
	service   string
	version   string
	op        *operation // nil: no such action
	requestID string
	now       time.Time
	caller    *caller  // nil until authenticated, and for unsigned calls
	account   *account // the caller's; of AssumeRoleWithWebIdentity: the role's
	in        inputs
}

// newCall finds out which operation a request asks for. Version and action
// name the service that would answer at AWS; a signature for another service
// is refused later. If they name none, the signature's scope does.
func (s *Sim) newCall(req *request) *call {
	c := s.readCall(req)
	c.requestID = s.ids.requestID()
	return c
}

// readCall is newCall for a request that is not processed yet.
func (s *Sim) readCall(req *request) *call {
	c := &call{
		sim: s, req: req, now: s.now(),
		service: req.signed.service, version: req.params.Get("Version"),
		in: inputs{req.params},
	}
	for _, service := range []string{serviceIAM, serviceSTS, serviceEC2} {
		op := s.operations[operationKey{service, c.operationName()}]
		if c.version == versionOf(service) && (op != nil || versionOf(c.service) == "") {
			c.service, c.op = service, op
		}
	}
	return c
}

func versionOf(service string) string {
	return map[string]string{serviceIAM: versionIAM, serviceSTS: versionSTS, serviceEC2: versionEC2}[service]
}

func (c *call) operationName() string { return c.req.params.Get("Action") }

// action is the name that policies and the journal use: "iam:CreateUser".
func (c *call) action() string { return c.service + ":" + c.operationName() }

func (c *call) accessKey() string { return c.req.signed.accessKey }

// target names what the call acts on, for faults and the journal: of an ARN
// the last part. A call on whoever signed it names nobody before that is known.
func (c *call) target() string {
	if c.op == nil || c.op.target == "" {
		return ""
	}
	name := c.in.text(c.op.target)
	if name == "" && c.op.target == "UserName" && c.caller != nil && c.caller.user != nil {
		name = c.caller.user.name
	}
	return name[strings.LastIndex(name, "/")+1:]
}

// process takes a call through AWS's stages: who, which, how well formed,
// whether allowed, then the operation itself.
func (s *Sim) process(c *call) reply {
	for _, stage := range []func(*call) error{
		s.authenticate, s.throttle, known, s.adapt, validate, authorize, s.notYetThere,
	} {
		if err := stage(c); err != nil {
			return c.refused(err)
		}
	}
	result, err := s.carryOut(c)
	if err != nil {
		return c.refused(err)
	}
	out := c.render(result)
	out.effect = true
	return out
}

// carryOut runs an operation, between what lags behind it.
func (s *Sim) carryOut(c *call) ([]node, error) {
	present := s.lookBack(c)
	defer present()
	changed, remembered := s.changing(c), s.remember(c)
	result, err := c.op.run(c)
	if err == nil {
		changed()
		remembered()
	}
	return result, err
}

// refused is the answer to a call that failed at some stage.
func (c *call) refused(err error) reply { return c.renderError(c.sim.reword(asAPIError(err))) }

func known(c *call) error {
	if c.op == nil {
		return invalidAction(c.operationName(), c.version)
	}
	return nil
}

// asAPIError gives an error of our own making AWS's shape.
func asAPIError(err error) *apiError {
	var refusal *apiError
	if errors.As(err, &refusal) {
		return refusal
	}
	return refuse("InternalFailure", http.StatusInternalServerError, "awssim: %v", err)
}

// arn builds an ARN of IAM or STS in the account.
func (a *account) arn(service, resource string) string {
	return strings.Join([]string{"arn", a.partition.name, service, "", a.id, resource}, ":")
}
