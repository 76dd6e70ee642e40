package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
)

// Show starts a [Site], takes the [Site.Tour] through it and writes the table of what came, and the commands to try
// next, to out; what happens on the way goes to talk. The error is the first thing that went wrong: source.ErrCorrupt
// where a digest was.
func Show(ctx context.Context, out, talk io.Writer) error {
	s, err := Start()
	if err != nil {
		return err
	}
	defer s.Close()
	rows := s.Tour(ctx, talk)
	w := bufio.NewWriter(out)
	table(w, rows)
	fmt.Fprint(w, "\nTo go on from here, keep the origins up and use them from another terminal:\n\n")
	const addr = "127.0.0.1:8080"
	fmt.Fprintln(w, "  spate demo --serve --listen", addr)
	for _, c := range s.commands("http://" + addr) {
		fmt.Fprintln(w, "  "+c)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return failed(rows)
}

// A Page shows exhibits in a browser, at address, until ctx is done; then, or when it fails, ended has its one value, by when
// nothing of it is left. Where err is not nil there is no page.
type Page func(ctx context.Context, exhibits []Exhibit) (address string, ended <-chan error, err error)

// Serve keeps a [Site] up, and a page on which it can be watched, until ctx is done, which is no error. It writes a line for each
// exhibit to out, its URL and what there is to see, and one for the page; and the commands that suit them to talk. addrs
// are as for [Start].
func Serve(ctx context.Context, addrs []string, page Page, out, talk io.Writer) error {
	s, err := Start(addrs...)
	if err != nil {
		return err
	}
	defer s.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	address, ended, err := page(ctx, s.Exhibits)
	if err != nil {
		return err
	}
	if err := s.announce(address, out, talk); err != nil {
		stop()
		return errors.Join(err, <-ended)
	}
	return <-ended
}

// announce tells what there is, and where.
func (s *Site) announce(page string, out, talk io.Writer) error {
	w := bufio.NewWriter(out)
	for _, e := range s.Exhibits {
		fmt.Fprintf(w, "%s  %s\n", e.URL, e.about())
	}
	fmt.Fprintf(w, "%s  a page that shows all of these while they arrive\n", page)
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(talk, "\nTo try, from another terminal:")
	for _, c := range s.commands(s.origins[0].URL("")) {
		fmt.Fprintln(talk, "  "+c)
	}
	return nil
}

// Title is e in a line: its name, and what there is to see.
func (e *Exhibit) Title() string { return e.Name + ": " + e.about() }

// about is what there is to see, and whether it ends.
func (e *Exhibit) about() string {
	if e.Endless {
		return e.About + "; endless"
	}
	return e.About
}
