/* SPDX-License-Identifier: MIT
 *
 * A recursive lock between three threads that each enter two levels deep, twice. Stands for include/threading/rlock.hpp
 * (acquire, reenter, give_level_back) and src/primitives/lock_word.cpp (lock_word, unlock_word), with both endings of a
 * release that finds waiters: free the lock and wake the first, or hand it over.
 *
 * Invariants, in words
 *  I1  One owner at a time. The owner's name is in the word from the exchange that takes the lock, or from the
 *      hand-over, that is before the new owner runs.
 *  I2  Only a thread itself can put its name into the word, or a releaser in its place while it is parked. So "am I the
 *      owner?" cannot change behind a thread's back, and one look without any lock answers it.
 *  I3  The depth is touched by the owner only, and is 0 exactly when nobody owns the lock.
 *  I4  The mark is set whenever somebody is queued. Nobody sleeps for ever.
 *
 * Variants that must fail: BUG_NO_OWNER (a hand-over that does not write the new owner), BUG_DROP_MARK (barging in
 * forgets the mark), BUG_FORGET_OTHERS (a release that wakes one clears the mark while others wait).
 */
#define THREADS 3
#define NOBODY 0

byte owner = NOBODY;          /* the word, in three parts */
bool held = false;
bool parked = false;
byte depth = 0;
bool locked = false;          /* the bucket's lock */
byte queue[THREADS];
byte length = 0;
bool woken[THREADS + 1];
bool handed[THREADS + 1];
byte inside = 0;

inline take(me) {
  held = true;
  owner = me
#ifdef BUG_DROP_MARK
  ; parked = false
#endif
}

inline acquire(me) {
  if
  :: owner == me -> depth++                      /* reenter(): one look, no lock */
  :: else ->
     do
     :: atomic { !held -> take(me) }; break
     :: held ->
        atomic { !locked -> locked = true };
        if
        :: atomic { held -> parked = true; queue[length] = me; length++; woken[me] = false };
           locked = false;
           woken[me];
           if
           :: handed[me] -> handed[me] = false; break
           :: else -> skip
           fi
        :: !held -> locked = false
        fi
     od;
     assert(owner == me);
     assert(depth == 0);
     depth = 1
  fi
}

inline release(me) {
  assert(owner == me && depth != 0);
  depth--;
  if
  :: depth != 0 -> skip
  :: else ->
     if
     :: atomic { !parked -> held = false; owner = NOBODY }
     :: parked ->
        atomic { !locked -> locked = true };
        if
        :: length == 0 -> d_step { parked = false; held = false; owner = NOBODY }; locked = false
        :: else ->
           d_step {
             first = queue[0];
             k = 1;
             do
             :: k < length -> queue[k - 1] = queue[k]; k++
             :: else -> break
             od;
             length--;
             k = 0;
           }
           if
           :: d_step {
#ifdef BUG_FORGET_OTHERS
                parked = false;
#else
                parked = (length != 0);
#endif
                held = false; owner = NOBODY }
           :: d_step {
                parked = (length != 0);
#ifdef BUG_NO_OWNER
                owner = NOBODY;
#else
                owner = first;
#endif
                handed[first] = true }
           fi;
           locked = false;
           woken[first] = true
        fi
     fi
  fi
}

proctype thread(byte me) {
  byte k;
  byte first;
  byte round;

  for (round : 1 .. 2) {
    acquire(me);
    inside++;
    assert(inside == 1);
    acquire(me);
    assert(depth == 2);
    release(me);
    inside--;
    release(me)
  }
}

init {
  atomic {
    run thread(1);
    run thread(2);
    run thread(3)
  }
  _nr_pr == 1;
  assert(!held && owner == NOBODY && depth == 0 && length == 0)
}
