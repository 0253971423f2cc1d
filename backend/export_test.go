package backend

// What the table of errors needs of the inside.
var (
	Respond    = respond
	Invalid    = invalid
	ErrNotYet  = errNotYet
	ErrTooLate = errTooLate
)
