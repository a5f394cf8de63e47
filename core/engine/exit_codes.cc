#include "engine/exit_codes.h"

namespace tickwire {

ExitCode exit_code(ErrorCode error) {
  switch (error) {
    case ErrorCode::kBadConfig:
      return kExitUsage;
    case ErrorCode::kListen:
      return kExitCannotListen;
    case ErrorCode::kStoreMissing:
      return kExitStoreMissing;
    case ErrorCode::kStoreLocked:
      return kExitStoreLocked;
    case ErrorCode::kStoreForeign:
      return kExitStoreForeign;
    case ErrorCode::kStoreDamaged:
      return kExitStoreDamaged;
    case ErrorCode::kStoreNewer:
      return kExitStoreNewer;
    case ErrorCode::kStoreIo:
      return kExitStoreIo;
    default:
      return kExitServerError;
  }
}

}  // namespace tickwire
