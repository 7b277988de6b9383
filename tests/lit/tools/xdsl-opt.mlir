// RUN: xdsl-opt %s -p te-schedule,te-to-loops,te-to-vec | filecheck %s
// RUN: xdsl-opt %s -p te-schedule,te-to-loops,te-to-vec -t lamina-llvm | filecheck %s --check-prefix LLVM

// CHECK-LABEL: func.func @xdsl_opt_has_the_dialects_passes_and_targets
// CHECK:         vec.load %x[%io * 4] : memref<8xf32> -> vector<4xf32>
// LLVM:        define void @xdsl_opt_has_the_dialects_passes_and_targets(ptr
func.func @xdsl_opt_has_the_dialects_passes_and_targets(%x: memref<8xf32>, %y: memref<8xf32>) {
  te.compute axes(i: 8) ins(%x[i]) out(%y[i]) init 0.0 : f32
    schedule [split i 4 io ii, vector ii]
    : memref<8xf32>, memref<8xf32> (%a: f32, %acc: f32) {
      %s = arith.addf %a, %a : f32
      te.yield %s : f32
    }
  func.return
}
