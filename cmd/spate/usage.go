package main

import "errors"

// A usageError says that the command line makes no sense.
type usageError struct{ problem, hint string }

func (e *usageError) Error() string { return e.problem }

func usage(problem, hint string) error { return &usageError{problem, hint} }

// asUsage makes err an error of usage, if it is none yet.
func asUsage(err error) error {
	if _, ok := errors.AsType[*usageError](err); ok {
		return err
	}
	return usage(err.Error(), "")
}
