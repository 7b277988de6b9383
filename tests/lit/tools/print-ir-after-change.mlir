// RUN: lamina-opt %s -p te-simplify,dce,canonicalize --print-ir-after-change 2>&1 | filecheck %s

// CHECK:      // te-simplify changed nothing
// CHECK:      // IR after dce:
// CHECK:      func.func @only_a_pass_that_changed_the_module_shows_it
// CHECK-NEXT:   func.return
// CHECK:      // canonicalize changed nothing
func.func @only_a_pass_that_changed_the_module_shows_it() {
  %a = arith.constant 1.0 : f32
  func.return
}
