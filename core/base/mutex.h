// Mutex, SharedMutex and the locks on them: those of the standard library, with what clang's thread-safety
// analysis needs to check which member may be touched under which lock (-Wthread-safety, in `make lint`).
// docs/ARCHITECTURE.md has the order in which locks are taken; ACQUIRED_AFTER says it to clang.
//
// GUARDED_BY(mutex)        a member that is read and written only while `mutex` is held
// REQUIRES(mutex)          a function that is called only while it is held, REQUIRES_SHARED: perhaps shared
// EXCLUDES(mutex)          a function that takes it, so the caller may not hold it
// ACQUIRED_AFTER(other)    a mutex that is never held when `other` is taken
//
// Any thread.
#pragma once

#include <mutex>
#include <shared_mutex>

#if defined(__clang__)
#define TICKWIRE_THREAD_SAFETY(attribute) __attribute__((attribute))
#else
#define TICKWIRE_THREAD_SAFETY(attribute)
#endif
#define CAPABILITY(name) TICKWIRE_THREAD_SAFETY(capability(name))
#define SCOPED_CAPABILITY TICKWIRE_THREAD_SAFETY(scoped_lockable)
#define GUARDED_BY(mutex) TICKWIRE_THREAD_SAFETY(guarded_by(mutex))
#define REQUIRES(...) TICKWIRE_THREAD_SAFETY(requires_capability(__VA_ARGS__))
#define REQUIRES_SHARED(...) TICKWIRE_THREAD_SAFETY(requires_shared_capability(__VA_ARGS__))
#define EXCLUDES(...) TICKWIRE_THREAD_SAFETY(locks_excluded(__VA_ARGS__))
#define ACQUIRED_AFTER(...) TICKWIRE_THREAD_SAFETY(acquired_after(__VA_ARGS__))
#define ACQUIRE(...) TICKWIRE_THREAD_SAFETY(acquire_capability(__VA_ARGS__))
#define ACQUIRE_SHARED(...) TICKWIRE_THREAD_SAFETY(acquire_shared_capability(__VA_ARGS__))
#define RELEASE(...) TICKWIRE_THREAD_SAFETY(release_capability(__VA_ARGS__))
#define RELEASE_SHARED(...) TICKWIRE_THREAD_SAFETY(release_shared_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) TICKWIRE_THREAD_SAFETY(try_acquire_capability(__VA_ARGS__))

namespace tickwire {

class CAPABILITY("mutex") Mutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }
  bool try_lock() TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  std::mutex mutex_;
};

class CAPABILITY("mutex") SharedMutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }
  void lock_shared() ACQUIRE_SHARED() { mutex_.lock_shared(); }
  void unlock_shared() RELEASE_SHARED() { mutex_.unlock_shared(); }

 private:
  std::shared_mutex mutex_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class SCOPED_CAPABILITY ExclusiveLock {
 public:
  explicit ExclusiveLock(SharedMutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~ExclusiveLock() RELEASE() { mutex_.unlock(); }
  ExclusiveLock(const ExclusiveLock&) = delete;
  ExclusiveLock& operator=(const ExclusiveLock&) = delete;

 private:
  SharedMutex& mutex_;
};

class SCOPED_CAPABILITY SharedLock {
 public:
  explicit SharedLock(SharedMutex& mutex) ACQUIRE_SHARED(mutex) : mutex_(mutex) { mutex_.lock_shared(); }
  ~SharedLock() RELEASE() { mutex_.unlock_shared(); }
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;

 private:
  SharedMutex& mutex_;
};

}  // namespace tickwire
