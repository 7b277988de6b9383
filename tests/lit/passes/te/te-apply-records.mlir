// RUN: lamina-opt %s -p 'te-apply-records{file="'%S'/../../tools/inputs/records.mlir"}' --split-input-file | filecheck %s

// The names of values and of the function are nothing to go by; axes, types and arithmetic are.
// CHECK-LABEL: func.func @same_op_under_other_names
// CHECK-SAME:    lamina.tuned
// CHECK:         schedule [split i 8 io ii, order io ii, vector ii]
func.func @same_op_under_other_names(%a: memref<64xf32>, %b: memref<64xf32>) {
  te.compute axes(i: 64) ins(%a[i]) out(%b[i]) init 0.0 : f32
    : memref<64xf32>, memref<64xf32> (%v: f32, %sum: f32) {
      %doubled = arith.addf %v, %v : f32
      te.yield %doubled : f32
    }
  func.return
}

// -----

// Writing where it reads is another workload.
// CHECK-LABEL: func.func @op_in_place
// CHECK-NOT:     schedule
func.func @op_in_place(%a: memref<64xf32>) {
  te.compute axes(i: 64) ins(%a[i]) out(%a[i]) init 0.0 : f32
    : memref<64xf32>, memref<64xf32> (%v: f32, %sum: f32) {
      %doubled = arith.addf %v, %v : f32
      te.yield %doubled : f32
    }
  func.return
}

// -----

// CHECK-LABEL: func.func @other_extent
// CHECK-NOT:     schedule
func.func @other_extent(%a: memref<65xf32>, %b: memref<65xf32>) {
  te.compute axes(i: 65) ins(%a[i]) out(%b[i]) init 0.0 : f32
    : memref<65xf32>, memref<65xf32> (%v: f32, %sum: f32) {
      %doubled = arith.addf %v, %v : f32
      te.yield %doubled : f32
    }
  func.return
}

// -----

// CHECK-LABEL: func.func @schedule_by_hand_stays
// CHECK:         schedule [vector i]
func.func @schedule_by_hand_stays(%a: memref<64xf32>, %b: memref<64xf32>) {
  te.compute axes(i: 64) ins(%a[i]) out(%b[i]) init 0.0 : f32 schedule [vector i]
    : memref<64xf32>, memref<64xf32> (%v: f32, %sum: f32) {
      %doubled = arith.addf %v, %v : f32
      te.yield %doubled : f32
    }
  func.return
}

// -----

// The record says to split an axis that is not there.
// CHECK-LABEL: func.func @record_that_does_not_fit
// CHECK-NOT:     schedule
func.func @record_that_does_not_fit(%a: memref<16xf32>, %b: memref<16xf32>) {
  te.compute axes(i: 16) ins(%a[i]) out(%b[i]) init 0.0 : f32
    : memref<16xf32>, memref<16xf32> (%v: f32, %sum: f32) {
      te.yield %v : f32
    }
  func.return
}
