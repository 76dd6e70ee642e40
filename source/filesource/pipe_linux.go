package filesource

import (
	"context"
	"os"
	"syscall"
)

// openPipe opens a named pipe and waits until somebody has written to it, or came and went.
//
// The usual open would wait too, but nothing can end it. Without blocking, a pipe that nobody writes to reads as if it
// were at its end; hence the wait here, before the first Read of the body.
func openPipe(ctx context.Context, dir folder, name string) (*body, error) {
	f, err := dir.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	b := newBody(ctx, f)
	if err := b.awaitWriter(); err != nil {
		_ = b.Close()
		if over := b.over(); over != nil {
			err = over
		}
		return nil, err
	}
	return b, nil
}

// awaitWriter returns when a byte has come, there is a writer, or there has been one since b was opened.
func (b *body) awaitWriter() error {
	conn, err := b.f.SyscallConn()
	if err != nil {
		return err
	}
	var cause error
	err = conn.Read(func(fd uintptr) (done bool) {
		done, cause = b.begun(int(fd))
		return done
	})
	if err != nil {
		return err
	}
	return cause
}

func (b *body) begun(fd int) (bool, error) {
	one := make([]byte, 1)
	n, err := syscall.Read(fd, one)
	for err == syscall.EINTR {
		n, err = syscall.Read(fd, one)
	}
	switch {
	case n > 0:
		b.first = one
		return true, nil
	case err == syscall.EAGAIN:
		return true, nil
	case err != nil:
		return true, err
	}
	hung, err := hungUp(fd)
	return hung || err != nil, err
}

// hungUp reports whether a pipe without writers has had any: poll(2) would tell, but the syscall package has only
// its relative.
func hungUp(fd int) (bool, error) {
	poll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return false, err
	}
	defer syscall.Close(poll)
	if err := syscall.EpollCtl(poll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN}); err != nil {
		return false, err
	}
	n, err := syscall.EpollWait(poll, make([]syscall.EpollEvent, 1), 0)
	for err == syscall.EINTR {
		n, err = syscall.EpollWait(poll, make([]syscall.EpollEvent, 1), 0)
	}
	return n > 0, err
}
