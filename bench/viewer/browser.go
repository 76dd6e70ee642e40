package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/chromedp/chromedp"
)

// serve starts spate view, and returns the address of its page.
func serve(ctx context.Context, spate string) (page string, end func() error, err error) {
	cmd := exec.CommandContext(ctx, spate, "view", "--no-open", "--no-cache")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	end = func() error {
		_ = cmd.Process.Signal(syscall.SIGINT) // it may have ended
		return cmd.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("spate view prints no address: %w", err), end())
	}
	return strings.TrimSpace(line), end, nil
}

// browse starts a browser.
func browse(ctx context.Context) (browser context.Context, end func(), err error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, nil, err
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox) // for root, who has none
	allocator, endAllocator := chromedp.NewExecAllocator(ctx, opts...)
	browser, endBrowser := chromedp.NewContext(allocator)
	end = func() {
		_ = chromedp.Cancel(browser) // waits for it
		endBrowser()
		endAllocator()
	}
	if err := chromedp.Do(browser, chromedp.EmulateViewport(1100, 1000)); err != nil {
		end()
		return nil, nil, err
	}
	return browser, end, nil
}

// A showing is when files were seen, in ms since Start was pressed.
type showing struct{ First, Last float64 }

func (s *showing) rate(files int) float64 { return float64(files-1) / (s.Last - s.First) * 1000 }

// seen presses Start, and resolves to when the first and the last file are drawn.
const seen = `new Promise((resolve, reject) => {
	document.getElementById('url').value = URL;
	const began = performance.now();
	document.getElementById('start').click();
	let first = 0;
	const look = (now) => {
		const n = parseInt(document.getElementById('frame').textContent, 10);
		if (n >= 1 && !first) first = now - began;
		if (n === FILES) resolve({ First: first, Last: now - began });
		else if (document.getElementById('state').textContent === 'failed') reject(new Error(document.getElementById('trouble').innerText));
		else requestAnimationFrame(look);
	};
	requestAnimationFrame(look);
})`

// show has the film shown once, in a tab of its own.
func show(browser context.Context, page, film string, ms, files int) (*showing, error) {
	tab, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	defer end()
	address := page + "#" + url.Values{"ms": {strconv.Itoa(ms)}}.Encode()
	if err := chromedp.Do(tab, chromedp.Navigate(address)); err != nil {
		return nil, err
	}
	script := strings.NewReplacer("URL", strconv.Quote(film), "FILES", strconv.Itoa(files)).Replace(seen)
	s, err := chromedp.Run(tab, chromedp.Evaluate[showing](script, chromedp.EvalAwaitPromise))
	return &s, errors.Join(err, chromedp.Cancel(tab))
}
