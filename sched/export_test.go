package sched

// Silence is how long a connection may be silent while others get on.
const Silence = silence
