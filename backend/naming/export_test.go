package naming

// Rendered is what the template puts out, legal or not.
func Rendered(t *Template, in Inputs) (string, error) {
	out, _, err := t.render(in)
	if err != nil {
		return "", err
	}
	return out.kept.String(), nil
}
