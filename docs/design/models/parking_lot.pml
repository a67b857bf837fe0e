/* SPDX-License-Identifier: MIT
 *
 * The parking lot: one address, three waiters of which one has a deadline and one can be interrupted, two wakers.
 * Stands for src/parking/parking_lot.cpp: join(), leave(), sleep(), unpark(), wake(), and the parker they sleep on.
 *
 * Invariants, in words
 *  I1  A waiter is unlinked exactly once: by a waker or by itself, whoever holds the bucket's lock first.
 *  I2  A waker touches a waiter's memory only while the waiter's owner has not left: an owner that gave up but lost
 *      the race waits for the wake that is on its way.
 *  I3  A waiter counted as woken returns "woken", and nobody else does.
 *  I4  Nobody sleeps for ever: a thread queues only if the word, looked at under the lock, says so, and whoever
 *      changes the word wakes under the same lock afterwards. (spin: no invalid end state)
 *  I5  First come, first served, among those who do not give up.
 *
 * Variants that must fail: BUG_UNLINK_TWICE (CPython gh-114944), BUG_LEAVE_EARLY (gh-148820), BUG_CHECK_OUTSIDE.
 */
#define WAITERS 3
#define MAY_GIVE_UP(i) (i != 0)

bool locked = false;          /* the bucket's lock */
bool word = false;            /* what the waiters wait for */
byte queue[WAITERS];          /* the first `length` are queued, in order */
byte length = 0;
bool queued[WAITERS];
bool woken[WAITERS];          /* the parker */
bool gone[WAITERS];           /* the waiter's frame has been left */
byte unlinked[WAITERS];
byte arrivals = 0;
byte arrival[WAITERS];
byte counted = 0;             /* what the wakers were told */
byte returned_woken = 0;
byte last_woken = 0;          /* arrival of the waiter unlinked last by a waker */

inline lock() { atomic { !locked -> locked = true } }
inline unlock() { locked = false }

inline push(i) {
  d_step {
    queue[length] = i;
    length++;
    queued[i] = true;
    arrivals++;
    arrival[i] = arrivals;
  }
}

/* Takes waiter i out of the queue, wherever it is. */
inline unlink(i) {
  d_step {
    at = 0;
    do
    :: at < length && queue[at] != i -> at++
    :: else -> break
    od;
    do
    :: at + 1 < length -> queue[at] = queue[at + 1]; at++
    :: else -> break
    od;
    length--;
    queued[i] = false;
    unlinked[i]++;
    at = 0;
  }
}

proctype waiter(byte me) {
  byte at;
  bool was_queued = false;

#ifdef BUG_CHECK_OUTSIDE
  if
  :: word -> goto over
  :: else -> skip
  fi;
  lock();
#else
  lock();
  if
  :: word -> unlock(); goto over
  :: else -> skip
  fi;
#endif
  push(me);
  was_queued = true;
  unlock();

  if
  :: woken[me] -> returned_woken++
  :: MAY_GIVE_UP(me) ->            /* the deadline has passed, or a signal handler has run */
     lock();
#ifdef BUG_UNLINK_TWICE
     unlink(me);
     unlock()
#else
     if
     :: queued[me] -> unlink(me); unlock()
     :: else ->
        unlock();
#ifndef BUG_LEAVE_EARLY
        woken[me];                 /* blocks until the wake has landed */
#endif
        returned_woken++
     fi
#endif
  fi;
over:
  gone[me] = true;
  assert(unlinked[me] <= 1);
  assert(!was_queued || unlinked[me] == 1)
}

proctype waker(byte most) {
  byte at;
  byte taken[WAITERS];
  byte count = 0;
  byte i;

  lock();
  word = true;
  do
  :: count < most && length != 0 ->
     taken[count] = queue[0];
     assert(arrival[taken[count]] > last_woken);
     last_woken = arrival[taken[count]];
     unlink(taken[count]);
     count++;
     counted++
  :: else -> break
  od;
  unlock();
  for (i : 0 .. WAITERS - 1) {
    if
    :: i < count ->
       assert(!gone[taken[i]]);
       woken[taken[i]] = true
    :: else -> skip
    fi
  }
}

init {
  atomic {
    run waiter(0);
    run waiter(1);
    run waiter(2);
    run waker(1);
    run waker(WAITERS)
  }
  _nr_pr == 1;
  assert(returned_woken == counted);
  assert(length == 0)
}
