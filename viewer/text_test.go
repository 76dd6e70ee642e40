package viewer_test

import (
	"fmt"
	"strings"
	"testing"

	"spate/internal/farm"
)

func TestTextGrowsWhileItArrives(t *testing.T) {
	s := stage(t, nil)
	release := make(chan struct{})
	const head, tail = "The beginning is here.\n", "And this is the end.\n"
	s.Serve("/slow.txt", farm.Resource{Body: []byte(head + tail), StallAt: int64(len(head)), Release: release})
	p := open(t, s.address("/slow.txt"))
	p.wait("document.querySelector('.text')?.innerText.includes('beginning')")
	if seen := p.text(".text"); strings.Contains(seen, "end") {
		t.Errorf("before it was sent there is %q", seen)
	}
	p.waitState("arriving")
	close(release)
	p.waitState("complete")
	p.wait("document.querySelector('.text').innerText.includes('end')")
}

// ownText puts a text of the test's on the page: a TextView in rows of 50, at most so many characters kept.
const ownText = `(async () => {
	const { TextView } = await import('./static/textview.js');
	const { TextRows } = await import('./static/textrows.js');
	const view = window.view = new TextView(document.getElementById('stage'));
	view.rows = new TextRows({ columns: view.columns, maxChars: 200000 });
	window.add = (from, to) => {
		let text = '';
		for (let i = from; i < to; i++) text += 'line ' + i + '\n';
		view.push(new TextEncoder().encode(text));
		view.draw();
		return true;
	};
	window.top1 = () => {
		const { top } = document.querySelector('.text').getBoundingClientRect();
		const rows = document.querySelector('.text pre').textContent.split('\n');
		return rows[Math.round((top - document.querySelector('.text pre').getBoundingClientRect().top) / view.rowHeight)];
	};
	return true;
})()`

// What is read stays where it is while the text grows, its beginning goes, and the page gets narrower.
func TestTextStaysWhereItIs(t *testing.T) {
	s := stage(t, nil)
	p := open(t, s.server.URL+"/")
	eval[bool](p, ownText)
	eval[bool](p, "add(0, 10000)")
	p.do(scrollTo("Math.round(8000 * view.rowHeight)"))
	p.wait("top1() === 'line 8000'")
	eval[bool](p, "add(10000, 20000)")
	p.frame()
	if got := eval[string](p, "top1()"); got != "line 8000" || eval[int](p, "view.rows.gone") == 0 {
		t.Errorf("when the beginning had gone, it was at %q", got)
	}
	p.resize(500, 1000)
	p.wait("view.rows.gone === 0") // it is wrapped anew
	p.frame()
	if got := eval[string](p, "top1()"); got != "line 8000" {
		t.Errorf("when it was narrower, it was at %q", got)
	}
	eval[bool](p, "add(20000, 40000)")
	p.frame()
	if got := eval[string](p, "top1()"); got == "line 8000" || eval[float64](p, "view.at") != 0 {
		t.Errorf("when that had gone, too, it was at %q", got)
	}
	p.do(scrollTo("1e9"))
	p.wait("document.querySelector('.text').innerText.includes('line 39999')")
	eval[bool](p, "add(40000, 41000)")
	p.wait("document.querySelector('.text').innerText.includes('line 40999')") // who was at the end stays there
}

// Of more than an element can be tall each row can be got at, and none moves while more come.
func TestTextBeyondTheTallest(t *testing.T) {
	s := stage(t, nil)
	p := open(t, s.server.URL+"/")
	eval[bool](p, strings.Replace(ownText, "200000", "1e8", 1))
	eval[bool](p, "add(0, 600000)")
	p.do(scrollTo("document.querySelector('.text').scrollHeight / 2"))
	p.wait("Math.abs(view.at - 300000) < 1000")
	row := eval[string](p, "top1()")
	eval[bool](p, "add(600000, 900000)")
	p.frame()
	if got := eval[string](p, "top1()"); got != row {
		t.Errorf("it was at %q, and is at %q", row, got)
	}
	before := eval[float64](p, "view.at")
	p.do(scrollTo("document.querySelector('.text').scrollTop + 10 * view.rowHeight"))
	p.wait(fmt.Sprintf("Math.abs(view.at - %f - 10) < 0.5", before))
	p.do(scrollTo("1e9"))
	p.wait("document.querySelector('.text').innerText.includes('line 899999')")
	p.do(scrollTo("0"))
	p.wait("top1() === 'line 0'")
}
