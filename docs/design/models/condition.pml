/* SPDX-License-Identifier: MIT
 *
 * A condition over a lock: two waiters, one of them with a deadline, and two notifiers. Stands for
 * src/primitives/condition.cpp: wait_released(), take_back(), notify_slow(), and for lock_word.cpp: lock_word(),
 * unlock_word(). What happens under the bucket locks, of which requeue() holds two, is one atomic step here;
 * parking_lot.pml looks inside.
 *
 * Invariants, in words
 *  I1  A waiter is queued before it releases the lock, so a later holder's notification cannot miss it.
 *  I2  notify moves a waiter to the lock's queue and marks the lock: its release comes through the queue. The mark is
 *      set whenever somebody is queued at the lock.
 *  I3  A moved waiter has been notified. Its deadline no longer counts; it only waits for the lock.
 *  I4  A notification is neither lost nor given twice: as many waits return "notified" as notify() moved or woke.
 *  I5  One holder at a time; a lock that is handed over belongs to its new owner before that one runs.
 *  I6  Nobody sleeps for ever who was notified, or has a deadline, or waits for the lock.
 *
 * Variants that must fail: BUG_RELEASE_FIRST, BUG_TIMEOUT_AFTER_MOVE (nsync 215217c), BUG_NO_MARK.
 */
#define PEOPLE 4              /* 0, 1 wait; 2, 3 notify */
#define NONE 255

bool held = false;
bool parked = false;          /* the mark on the lock's word */
byte holder = NONE;
byte at_condition[2];         /* queue of the condition */
byte condition_length = 0;
byte at_lock[PEOPLE];         /* queue of the lock */
byte lock_length = 0;
bool moved[PEOPLE];
bool woken[PEOPLE];
bool handed[PEOPLE];          /* the wake brought the lock */
byte notified = 0;
byte returned_notified = 0;
byte tokens = 0;              /* the predicate */

inline take(me) {
  assert(!held && holder == NONE);
  held = true;
  holder = me
}

/* Removes the first of the lock's queue. */
inline pop_lock(first) {
  d_step {
    first = at_lock[0];
    k = 1;
    do
    :: k < lock_length -> at_lock[k - 1] = at_lock[k]; k++
    :: else -> break
    od;
    lock_length--;
    k = 0
  }
}

/* lock_word(): barge, or mark and queue up, and look again when woken. */
inline acquire(me) {
  do
  :: atomic { !held -> take(me) }; break
  :: atomic { held -> parked = true; at_lock[lock_length] = me; lock_length++; woken[me] = false };
     woken[me];
     if
     :: handed[me] -> handed[me] = false; assert(holder == me); break
     :: else -> skip
     fi
  od
}

/* unlock_word(): without the mark one exchange; with it, under the bucket's lock, free and wake, or hand over. */
inline release(me) {
  assert(held && holder == me);
  if
  :: atomic { !parked -> held = false; holder = NONE }
  :: atomic { parked && lock_length == 0 -> parked = false; held = false; holder = NONE }
  :: atomic {
       parked && lock_length != 0 ->
       pop_lock(first);
       parked = (lock_length != 0);
       if
       :: held = false; holder = NONE
       :: holder = first; handed[first] = true     /* overdue */
       fi
     };
     woken[first] = true
  fi
}

proctype waiter(byte me; bool bounded) {
  byte k;
  byte first;
  bool gave_up = false;

  acquire(me);
  do
  :: tokens != 0 -> tokens--; break
  :: else ->
     woken[me] = false;
     moved[me] = false;
#ifdef BUG_RELEASE_FIRST
     release(me);
     d_step { at_condition[condition_length] = me; condition_length++ };
#else
     d_step { at_condition[condition_length] = me; condition_length++ };
     release(me);
#endif
     if
     :: woken[me] -> returned_notified++
     :: bounded ->
        atomic {
#ifdef BUG_TIMEOUT_AFTER_MOVE
        if
        :: moved[me] ->            /* takes itself out of the lock's queue and goes */
           d_step {
             k = 0;
             do
             :: k < lock_length && at_lock[k] != me -> k++
             :: else -> break
             od;
             if
             :: k < lock_length ->
                do
                :: k + 1 < lock_length -> at_lock[k] = at_lock[k + 1]; k++
                :: else -> break
                od;
                lock_length--;
                gave_up = true
             :: else -> skip
             fi;
             k = 0
           }
        :: else -> skip
        fi;
#endif
        if
        :: condition_length != 0 && (at_condition[0] == me || (condition_length == 2 && at_condition[1] == me)) ->
           d_step {
             if
             :: at_condition[0] == me -> at_condition[0] = at_condition[1]
             :: else -> skip
             fi;
             condition_length--;
             gave_up = true
           }
        :: else -> skip
        fi
        };
        if
        :: gave_up -> skip
        :: else -> woken[me]; returned_notified++
        fi
     fi;
     if
     :: handed[me] -> handed[me] = false; assert(holder == me)
     :: else -> acquire(me)
     fi;
     if
     :: gave_up ->
        if
        :: tokens != 0 -> tokens--
        :: else -> skip
        fi;
        break
     :: else -> skip
     fi
  od;
  assert(holder == me);
  release(me)
}

proctype notifier(byte me) {
  byte k;
  byte first;
  byte who;

  acquire(me);
  tokens++;
  if
  :: d_step {
       condition_length != 0 ->
       who = at_condition[0];
       at_condition[0] = at_condition[1];
       condition_length--;
       notified++;
       moved[who] = true;
#ifndef BUG_NO_MARK
       parked = true;
#endif
       at_lock[lock_length] = who;
       lock_length++
     }
  :: condition_length == 0 -> skip
  fi;
  release(me)
}

init {
  atomic {
    run waiter(0, false);
    run waiter(1, true);
    run notifier(2);
    run notifier(3)
  }
  _nr_pr == 1;
  assert(!held && holder == NONE);
  assert(condition_length == 0 && lock_length == 0);
  assert(returned_notified == notified)
}
