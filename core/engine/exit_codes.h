// What a process of ours ends with. python/tickwire/exit_codes.py says the same, by test.
#pragma once

#include "base/error.h"

namespace tickwire {

enum ExitCode : int {
  kExitOk = 0,
  kExitUsage = 2,          // command line or configuration
  kExitCannotConnect = 3,  // clients only
  kExitDenied = 4,         // clients only
  kExitServerError = 5,
  kExitCannotWrite = 6,  // standard output is closed or full
  kExitStoreMissing = 10,
  kExitStoreLocked = 11,
  kExitStoreForeign = 12,
  kExitStoreDamaged = 13,
  kExitStoreNewer = 14,
  kExitStoreIo = 15,
  kExitCannotListen = 16,
};

// The code of a server that could not start because of `error`.
ExitCode exit_code(ErrorCode error);

}  // namespace tickwire
