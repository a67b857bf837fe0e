/* SPDX-License-Identifier: MIT
 *
 * A barrier for three: three threads that meet twice without a pause, one of them with a deadline, and one more that
 * aborts it and resets it. Stands for src/primitives/barrier.cpp: arrive(), complete(), wake_rest_of_broken_set(),
 * wake_all_broken(); without an action.
 *
 * Invariants, in words
 *  I1  A thread is counted and queued, or uncounted and unqueued, in one critical section: while the barrier is whole,
 *      the counter is the length of the queue.
 *  I2  Each waiter learns from its waker how its own set ended, and never looks at the barrier again. So a fast thread
 *      that comes back meets an empty queue, and nobody takes the next generation for its own.
 *  I3  All of a set pass, or none does: as many pass as are needed, each time.
 *  I4  Whoever breaks the barrier wakes the others. Nobody sleeps for ever who can still be let go.
 *
 * Variants that must fail: BUG_LOOK_AGAIN (a woken thread asks the barrier whether it passed), BUG_NO_WAKE (a timeout
 * breaks the barrier and leaves the others), BUG_COUNT_OUTSIDE (the last to arrive does not look again under the lock).
 */
#define PARTIES 3
#define THREADS 3
#define ROUNDS 2
#define alone (running < PARTIES)

mtype = { none, passed, failed }

bool locked = false;
bool broken = false;
byte arrived = 0;
byte length = 0;
bool queued[THREADS];
bool woken[THREADS];
mtype token[THREADS] = none;
byte generation = 0;             /* how many sets have passed */
byte passes[5];                  /* how many threads have passed in each */
byte mine[THREADS];              /* the generation that let a thread pass */
byte running = THREADS;

inline lock() { atomic { !locked -> locked = true } }
inline unlock() { locked = false }

inline wake_all(how) {
  d_step {
    i = 0;
    do
    :: i < THREADS ->
       if
       :: queued[i] -> queued[i] = false; token[i] = how; mine[i] = generation; woken[i] = true
       :: else -> skip
       fi;
       i++
    :: else -> break
    od;
    length = 0;
    i = 0
  }
}

inline pass() { passes[mine[me]]++; assert(passes[mine[me]] <= PARTIES) }

proctype party(byte me; bool bounded) {
  byte i;
  byte round;
#ifdef BUG_COUNT_OUTSIDE
  bool is_last;
#endif

  for (round : 1 .. ROUNDS) {
#ifdef BUG_COUNT_OUTSIDE
    is_last = (arrived + 1 == PARTIES && !broken);
#endif
    lock();
    if
    :: broken -> unlock(); goto next
#ifdef BUG_COUNT_OUTSIDE
    :: !broken && is_last ->
#else
    :: !broken && arrived + 1 == PARTIES ->          /* complete(): the last one */
#endif
       arrived = 0;
       mine[me] = generation;
       wake_all(passed);
       generation++;
       unlock();
       pass();
       goto next
    :: else ->                                       /* arrive() */
       d_step { arrived++; queued[me] = true; length++; woken[me] = false; token[me] = none };
       assert(arrived == length);
       unlock()
    fi;
    if
    :: woken[me] -> skip
    :: bounded ->
       lock();
       if
       :: queued[me] ->
          d_step { queued[me] = false; length--; broken = true };
          unlock();
#ifndef BUG_NO_WAKE
          lock();                                    /* wake_rest_of_broken_set() */
          if
          :: broken -> arrived = 0; wake_all(failed)
          :: else -> skip
          fi;
          unlock();
#endif
          goto next
       :: else -> unlock(); woken[me]
       fi
    :: alone && !bounded && queued[me] && !broken ->   /* too few are left to come: the program's fault, not ours */
       lock();
       if
       :: queued[me] -> d_step { queued[me] = false; length--; arrived-- }; unlock(); goto next
       :: else -> unlock(); woken[me]
       fi
    fi;
#ifdef BUG_LOOK_AGAIN
    if
    :: !broken && arrived == 0 -> pass()
    :: else -> skip
    fi;
#else
    if
    :: token[me] == passed -> pass()
    :: else -> assert(token[me] == failed)
    fi;
#endif
next:
    skip
  };
  running--
}

proctype meddler() {
  byte i;

  lock();                                            /* abort() */
  broken = true;
  arrived = 0;
  wake_all(failed);
  unlock();
  lock();                                            /* reset() */
  broken = false;
  arrived = 0;
  wake_all(failed);
  unlock()
}

init {
  byte g;
  atomic {
    run party(0, false);
    run party(1, false);
    run party(2, true);
    run meddler()
  }
  _nr_pr == 1;
  assert(length == 0);
  for (g : 0 .. 4) {
    assert(passes[g] == 0 || passes[g] == PARTIES)
  }
}
