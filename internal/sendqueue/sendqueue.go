// Package sendqueue tells what the system has of a connection that was written, and that the other side has not confirmed: what it takes
// shows there, and hardly in when a write returns.
package sendqueue
