/* SPDX-License-Identifier: MIT
 *
 * A thread's life: a starter, whose start may fail; the thread; two joiners, at least one of them with a bound; and the
 * exit of the process, which waits for the thread unless it is a daemon. Stands for src/threads/life.cpp: start(),
 * launch(), end(), finish(), join(), park_for_end(), join_directly(), and src/threads/shutdown.cpp: shut_down().
 *
 * Invariants, in words
 *  I1  The OS thread is joined by one thread, the claimer, and by nobody else.
 *  I2  join() returns "over" only when nothing of the thread is left, and only with the handle known.
 *  I3  The parked mark changes under the bucket's lock only: who changes the phase without it has nobody to wake.
 *  I4  A joiner that finds the thread ended does not give up any more: what is left takes no time.
 *  I5  A start that fails lets go whoever waits. Nobody sleeps for ever.
 *  I6  The exit ends only when the thread is over, or was never started.
 *
 * Variants that must fail: BUG_END_WAKES_NOBODY, BUG_START_FAILS_SILENTLY, BUG_NO_CLAIM (every joiner joins the OS
 * thread), BUG_HANDLE_WAKES_NOBODY.
 */
mtype = { fresh, alive, ended, over }
#define JOINERS 3                /* 0 with or without a bound, 1 with one, 2 the exit */
#define BOUNDED(i) (i == 1 || (i == 0 && first_is_bounded))
#define MUST_NOT_WAIT (phase == fresh || phase == over || (phase == ended && !claimed && handle))

bool first_is_bounded = false;
bool daemon = false;             /* the exit does not wait for it */
mtype phase = fresh;
bool claimed = false;
bool parked = false;
bool handle = false;             /* the starter has written it */
bool locked = false;             /* the bucket's lock */
bool queued[JOINERS];
bool woken[JOINERS];
byte length = 0;
bool os_runs = false;            /* the OS thread exists, and has not been joined */
bool os_done = false;            /* it has run its last instruction */
byte os_joins = 0;
bool started = false;            /* start() has returned, one way or the other */

inline lock() { atomic { !locked -> locked = true } }
inline unlock() { locked = false }

inline wake_all() {
  d_step {
    i = 0;
    do
    :: i < JOINERS ->
       if
       :: queued[i] -> queued[i] = false; woken[i] = true
       :: else -> skip
       fi;
       i++
    :: else -> break
    od;
    length = 0;
    parked = false;
    i = 0
  }
}

inline wake_one() {
  d_step {
    i = 0;
    do
    :: i < JOINERS && !queued[i] -> i++
    :: else -> break
    od;
    if
    :: i < JOINERS -> queued[i] = false; woken[i] = true; length--
    :: else -> skip
    fi;
    parked = (length != 0);
    i = 0
  }
}

proctype os_thread() {
  byte i;

  skip;                                          /* the body */
  if                                             /* end() */
  :: atomic { !parked || claimed -> phase = ended }
  :: parked && !claimed ->
     lock();
     phase = ended;
#ifndef BUG_END_WAKES_NOBODY
     if
     :: !claimed -> wake_one()
     :: else -> skip
     fi;
#endif
     unlock()
  fi;
  os_done = true
}

proctype starter() {
  byte i;

  phase = alive;
  if
  :: os_runs = true; run os_thread();            /* launch() */
     if
     :: atomic { !parked -> handle = true }
     :: parked ->
        handle = true;
#ifndef BUG_HANDLE_WAKES_NOBODY
        lock();
        wake_all();
        unlock()
#endif
     fi
  :: lock();                                     /* no thread to give: take_back_start() */
     phase = fresh;
#ifndef BUG_START_FAILS_SILENTLY
     wake_all();
#endif
     unlock()
  fi;
  started = true
}

inline finish() {
  if
  :: atomic { !parked -> phase = over }
  :: parked -> lock(); phase = over; wake_all(); unlock()
  fi
}

inline join_os_thread() {
  assert(handle);
  os_done;                                       /* blocks */
  os_joins++;
  os_runs = false
}

proctype joiner(byte me) {
  byte i;
  bool gave_up = false;

  do
  :: phase == over -> break
  :: phase == fresh -> goto failed
  :: phase == alive || phase == ended ->
     if
#ifdef BUG_NO_CLAIM
     :: handle && (phase == ended || !BOUNDED(me)) -> join_os_thread(); finish(); break
#else
     :: atomic { !claimed && handle && (phase == ended || !BOUNDED(me)) -> claimed = true };
        join_os_thread();
        finish();
        break
#endif
     :: else ->                                  /* park_for_end() */
        lock();
        if
        :: MUST_NOT_WAIT -> unlock()
        :: atomic { !(MUST_NOT_WAIT) -> parked = true; queued[me] = true; woken[me] = false; length++ };
           unlock();
           if
           :: woken[me] -> skip
           :: BOUNDED(me) && phase == alive ->   /* the deadline; I4: not once it has ended */
              lock();
              if
              :: queued[me] ->
                 d_step { queued[me] = false; length--; parked = (length != 0) };
                 gave_up = true;
                 unlock();
                 break
              :: else -> unlock(); woken[me]
              fi
           fi
        fi
     fi
  od;
  assert(gave_up || (phase == over && !os_runs));
failed:
  skip
}

proctype exit_of_process() {
  byte i;

  started;
  if
  :: phase == fresh || daemon -> skip            /* never started, or not waited for */
  :: else ->
     run joiner(2)
  fi
}

init {
  if
  :: first_is_bounded = true
  :: skip
  fi;
  if
  :: daemon = true
  :: skip
  fi;
  atomic {
    run starter();
    run joiner(0);
    run joiner(1);
    run exit_of_process()
  }
  _nr_pr == 1;
  assert(length == 0);
  assert(phase == fresh || (phase == over && os_joins == 1 && !os_runs) ||
         (phase == ended && os_joins == 0 && daemon))
}
