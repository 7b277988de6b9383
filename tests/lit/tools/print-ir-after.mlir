// RUN: lamina-opt %s -p te-simplify,dce,canonicalize --print-ir-after te-simplify --print-ir-after dce 2>&1 | filecheck %s

// CHECK:      // IR after te-simplify:
// CHECK:      func.func @the_module_is_shown_after_the_passes_asked_for
// CHECK-NEXT:   arith.constant
// CHECK-NEXT:   func.return
// CHECK:      // IR after dce:
// CHECK:      func.func @the_module_is_shown_after_the_passes_asked_for
// CHECK-NEXT:   func.return
// CHECK-NOT:  // IR after
func.func @the_module_is_shown_after_the_passes_asked_for() {
  %a = arith.constant 1.0 : f32
  func.return
}
