package viewer_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"spate/internal/farm"
)

// Keys are for the player, unless they are for what has the focus.
func TestKeysAreNotStolen(t *testing.T) {
	s := stage(t, nil)
	s.Serve("/film.png-seq", farm.Resource{Body: inSequence(numberedAll(12, 4)...)})
	p := open(t, s.server.URL+"/#play=0&ms=500")
	p.do(chromedp.SendKeys("#url", s.URL("/film.png-seq")+kb.Enter))
	p.waitFrame(1)
	p.press("s") // the stage has the focus now
	p.waitFrame(2)
	p.press("+")
	p.wait("document.getElementById('ms-shown').textContent === '399 ms'")
	p.press("-")
	p.wait("document.getElementById('ms-shown').textContent === '500 ms'")
	p.do(chromedp.Focus("#url"))
	p.press("s +-" + kb.ArrowLeft + kb.ArrowRight)
	p.wait("document.getElementById('url').value.endsWith('-seqs +-')")
	p.do(chromedp.Focus("#ms"))
	p.press(kb.ArrowRight)
	p.wait("document.getElementById('ms-shown').textContent === '510 ms'")
	p.settle()
	p.waitState("paused")
	p.waitFrame(2)
	p.do(chromedp.Focus("#step"))
	p.press(" ") // presses the button, and does not animate as well
	p.waitFrame(3)
	p.settle()
	p.waitState("paused")
	p.waitFrame(3)
	if got := eval[string](p, "location.hash"); !strings.Contains(got, "ms=510") {
		t.Errorf("the address has %s", got)
	}
}

// One gets everywhere with the tabulator, in the order in which one reads.
func TestFocusOrder(t *testing.T) {
	s := stage(t, nil)
	s.Serve("/verses.txt-seq", farm.Resource{Body: inSequence([]byte("one"), []byte("two"), []byte("three"))})
	p := open(t, s.address("/verses.txt-seq", "play", "0"))
	p.waitFrame(1)
	p.press("s")
	p.waitFrame(2)
	p.do(chromedp.Focus("#url"))
	var order []string
	for range 13 {
		order = append(order, eval[string](p, "(({ id, className, localName }) => id || className || localName)(document.activeElement)"))
		if outline := eval[string](p, "getComputedStyle(document.activeElement).outlineStyle"); outline == "none" {
			t.Errorf("one does not see that %s has the focus", order[len(order)-1])
		}
		p.press(kb.Tab)
	}
	want := strings.Fields("url start stop text back pause step ms save summary legend tree failures")
	if !slices.Equal(order, want) {
		t.Errorf("the order is %q", order)
	}
}

// Who does not see the page is told what there is, and what changes.
func TestNames(t *testing.T) {
	s, urls := exhibition(t)
	p := open(t, s.server.URL+"/")
	p.wait("document.querySelectorAll('#samples a').length > 5")
	p.checkNames()
	for _, name := range []string{"verses", "image", "sound", "data", "missing"} {
		p.visit(s.addressOf(urls[name]))
		p.wait("!['idle', 'connecting', 'arriving'].includes(document.getElementById('state').textContent)")
		p.checkNames()
	}
}

// checkNames finds out whether everything that one can use or look at has a name.
func (p *tab) checkNames() {
	p.t.Helper()
	tree, err := chromedp.Call(p.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		p.t.Fatal(err)
	}
	named := strings.Fields("button link combobox textbox slider image img Canvas progressbar region navigation alert document Audio Video")
	roles := map[string]int{}
	for _, n := range tree.Nodes {
		role := axValue(n.Role)
		if n.Ignored {
			continue
		}
		roles[role]++
		if slices.Contains(named, role) && axValue(n.Name) == "" {
			p.t.Errorf("%s %v has no name", role, n.BackendDOMNodeID)
		}
	}
	for _, role := range []string{"combobox", "button", "link", "status", "progressbar", "region"} {
		if roles[role] == 0 {
			p.t.Errorf("there is no %s: %v", role, roles)
		}
	}
}

func axValue(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	return strings.Trim(string(v.Value), `"`)
}
