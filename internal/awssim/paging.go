package awssim

import (
	"encoding/base64"
	"sort"
	"strings"
)

// defaultPage is how many items a page has unless MaxItems says otherwise.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html
const defaultPage = 100

// markerPrefix makes a marker something that only the simulator can have made.
const markerPrefix = "awssim:"

// page cuts a sorted list to one page: the items after the call's Marker, as
// many as MaxItems and the simulator's own cap allow. keys are unique and in
// order; the marker is the last key of a page, so that pages stay right while
// items come and go.
func page[T any](c *call, items []T, key func(T) string) ([]T, []node, error) {
	sort.SliceStable(items, func(i, j int) bool { return key(items[i]) < key(items[j]) })
	if c.in.has("Marker") {
		after, err := readMarker(c.in.text("Marker"))
		if err != nil {
			return nil, nil, err
		}
		items = items[sort.Search(len(items), func(i int) bool { return key(items[i]) > after }):]
	}
	limit := c.pageSize()
	if len(items) <= limit {
		return items, []node{leaf("IsTruncated", "false")}, nil
	}
	items = items[:limit]
	return items, []node{leaf("IsTruncated", "true"), leaf("Marker", newMarker(key(items[limit-1])))}, nil
}

func (c *call) pageSize() int {
	limit := defaultPage
	if c.in.has("MaxItems") {
		limit = c.in.number("MaxItems")
	}
	if own := c.sim.settings.PageSize; own > 0 {
		limit = min(limit, own)
	}
	return limit
}

func newMarker(key string) string {
	return base64.URLEncoding.EncodeToString([]byte(markerPrefix + key))
}

func readMarker(marker string) (string, error) {
	plain, err := base64.URLEncoding.DecodeString(marker)
	key, ours := strings.CutPrefix(string(plain), markerPrefix)
	if err != nil || !ours {
		return "", validationError("Invalid Marker.")
	}
	return key, nil
}

// listing answers a paged list: the page under a name, then IsTruncated.
func listing[T any](c *call, name string, items []T, key func(T) string, render func(T) []node) ([]node, error) {
	shown, tail, err := page(c, items, key)
	if err != nil {
		return nil, err
	}
	return append([]node{list(name, shown, render)}, tail...), nil
}
