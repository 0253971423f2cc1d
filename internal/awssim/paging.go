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
// many as MaxItems and the simulator's own cap allow. Keys are unique and in
// order; the marker is the last key of a page, so that pages stay right while
// items come and go.
func page[T any](c *call, items []T, key func(T) string) ([]T, []node, error) {
	sort.SliceStable(items, func(i, j int) bool { return key(items[i]) < key(items[j]) })
	next := newMarker("")
	if c.in.has("Marker") {
		after, err := readMarker(c.in.text("Marker"))
		if err != nil {
			return nil, nil, err
		}
		next = c.in.text("Marker")
		items = items[sort.Search(len(items), func(i int) bool { return key(items[i]) > after }):]
	}
	limit := c.pageSize(len(items))
	if len(items) <= limit {
		return items, []node{leaf("IsTruncated", "false")}, nil
	}
	if limit > 0 {
		next = newMarker(key(items[limit-1]))
	}
	return items[:limit], []node{leaf("IsTruncated", "true"), leaf("Marker", next)}, nil
}

// pageSize is how many of the items that are left a page may have. AWS may
// give fewer than were asked for, none even, and still say IsTruncated.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html
func (c *call) pageSize(left int) int {
	limit := defaultPage
	if c.in.has("MaxItems") {
		limit = c.in.number("MaxItems")
	}
	settings := c.sim.settings
	if settings.PageSize > 0 {
		limit = min(limit, settings.PageSize)
	}
	if left > 0 && c.req.met.chance("short page") < settings.ShortPages {
		limit = min(limit, int(c.req.met.chance("items on a page")*float64(left+1)))
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
