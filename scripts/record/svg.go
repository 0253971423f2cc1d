package main

import (
	"fmt"
	"html"
	"strings"
)

// The terminal, in characters and in pixels.
const (
	columns    = 100
	rows       = 24
	lineHeight = 18
	charWidth  = 8.2
	margin     = 14
	titleBar   = 30
	hold       = 6.0 // seconds that the end stays before it begins again
)

// svgOf draws the session: all its lines, one below the other, behind a window
// through which each frame moves them up. Without animation it shows the end.
func svgOf(frames []frame) string {
	var lines, steps strings.Builder
	end := frames[len(frames)-1].at + hold
	shown := 0
	for _, f := range frames {
		for line := range strings.SplitSeq(strings.TrimSuffix(f.text, "\n"), "\n") {
			for part := range strings.SplitSeq(wrap(line), "\n") {
				fmt.Fprintf(&lines, `<text y="%d"%s>%s</text>`+"\n", (shown+1)*lineHeight-5, class(line), html.EscapeString(part))
				shown++
			}
		}
		fmt.Fprintf(&steps, "%.2f%% { transform: translateY(%dpx) }\n", 100*f.at/end, (rows-shown)*lineHeight)
	}
	last := (rows - shown) * lineHeight
	width, height := columns*charWidth+2*margin, rows*lineHeight+titleBar+margin
	return fmt.Sprintf(picture, width, height, end, last, steps.String(), last, margin, titleBar, columns*charWidth, rows*lineHeight, lines.String())
}

// wrap breaks a line where the terminal would.
func wrap(line string) string {
	var parts []string
	for text := []rune(line); ; text = text[columns:] {
		if len(text) <= columns {
			return strings.Join(append(parts, string(text)), "\n")
		}
		parts = append(parts, string(text[:columns]))
	}
}

// class colours a line: remarks and commands stand out.
func class(line string) string {
	switch {
	case strings.HasPrefix(line, "# "):
		return ` class="remark"`
	case strings.HasPrefix(line, "$ "):
		return ` class="command"`
	default:
		return ""
	}
}

// picture takes width, height, duration, end, steps, end, left, top, inner width,
// inner height, lines.
const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]g %[2]d" role="img">
<title>make demo ONESHOT=1, in a terminal</title>
<style>
text { font: 13.5px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #c9d1d9; white-space: pre }
.remark { fill: #7ee787 }
.command { fill: #ffffff; font-weight: bold }
#lines { animation: session %[3]gs step-end infinite }
@keyframes session {
%[5]s100%% { transform: translateY(%[4]dpx) }
}
@media (prefers-reduced-motion: reduce) { #lines { animation: none } }
</style>
<rect width="%[1]g" height="%[2]d" rx="8" fill="#0d1117" stroke="#57606a"/>
<circle cx="18" cy="15" r="5" fill="#ff5f56"/><circle cx="36" cy="15" r="5" fill="#ffbd2e"/><circle cx="54" cy="15" r="5" fill="#27c93f"/>
<svg x="%[7]d" y="%[8]d" width="%[9]g" height="%[10]d">
<g id="lines" xml:space="preserve" transform="translate(0 %[6]d)">
%[11]s</g>
</svg>
</svg>
`
