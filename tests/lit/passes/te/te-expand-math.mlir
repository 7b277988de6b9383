// RUN: lamina-opt %s -p te-expand-math | filecheck %s

// CHECK-LABEL: @exp_is_a_polynomial_times_a_power_of_two
// CHECK: (%a: f32, %acc: f32) {
// CHECK-NOT: math.exp
// CHECK: %[[LOW:.*]] = arith.maximumf %a, %{{.*}} : f32
// CHECK: %[[X:.*]] = arith.minimumf %[[LOW]], %{{.*}} : f32
// CHECK: %[[ROUNDED:.*]] = math.fma %[[X]], %{{.*}}, %{{.*}} : f32
// CHECK: arith.bitcast %[[ROUNDED]] : f32 to i32
// CHECK: arith.shrsi
// CHECK: arith.shli
// CHECK: arith.bitcast %{{.*}} : i32 to f32
// CHECK: %r = arith.mulf
// CHECK-NEXT: te.yield %r : f32
func.func @exp_is_a_polynomial_times_a_power_of_two(%x: memref<8xf32>, %y: memref<8xf32>) {
  te.compute axes(i: 8) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { %r = math.exp %a : f32  te.yield %r : f32 }
  func.return
}

// CHECK-LABEL: @tanh_and_erf_take_the_sign_from_their_argument
// CHECK-NOT: math.tanh
// CHECK: arith.divf
// CHECK: arith.select
// CHECK-NEXT: math.copysign %{{.*}}, %x : f32
// CHECK-NOT: math.erf
// CHECK: arith.cmpf olt
// CHECK-NEXT: arith.select
// CHECK-NEXT: math.copysign %{{.*}}, %x : f32
func.func @tanh_and_erf_take_the_sign_from_their_argument(%x: f32) -> (f32, f32) {
  %t = math.tanh %x : f32
  %e = math.erf %x : f32
  func.return %t, %e : f32, f32
}

// CHECK-LABEL: @vectors_are_expanded_lane_by_lane
// CHECK-NOT: math.exp
// CHECK: arith.constant dense<-1.040000e+02> : vector<16xf32>
// CHECK: arith.bitcast %{{.*}} : vector<16xf32> to vector<16xi32>
func.func @vectors_are_expanded_lane_by_lane(%x: vector<16xf32>) -> vector<16xf32> {
  %r = math.exp %x : vector<16xf32>
  func.return %r : vector<16xf32>
}

// CHECK-LABEL: @other_types_are_left_alone
// CHECK-NEXT: math.exp %x : f64
func.func @other_types_are_left_alone(%x: f64) -> f64 {
  %r = math.exp %x : f64
  func.return %r : f64
}

// CHECK-LABEL: @logarithms_take_the_exponent_and_choose_what_is_special
// CHECK-NOT: math.log
// CHECK: arith.bitcast
// CHECK: arith.shrsi
// CHECK: math.fma
// CHECK: vec.compare "olt" %x
// CHECK: vec.select
// CHECK: vec.compare "oeq" %x
// CHECK: vec.select
// CHECK: vec.compare "ole" %x
// CHECK-NEXT: vec.select
// CHECK: arith.divf
// CHECK: math.copysign
func.func @logarithms_take_the_exponent_and_choose_what_is_special(%x: vector<8xf32>) -> (vector<8xf32>, vector<8xf32>) {
  %l = math.log %x : vector<8xf32>
  %p = math.log1p %x : vector<8xf32>
  func.return %l, %p : vector<8xf32>, vector<8xf32>
}

// CHECK-LABEL: @expm1_does_not_subtract_one_from_exp
// CHECK-NOT: math.expm1
// CHECK: %[[HALF:.*]] = arith.bitcast %{{.*}} : i32 to f32
// CHECK: arith.subf %[[HALF]], %{{.*}} : f32
// CHECK-NEXT: math.fma %{{.*}}, %[[HALF]]
// CHECK-NEXT: arith.addf
// CHECK-NEXT: math.copysign %{{.*}}, %x
func.func @expm1_does_not_subtract_one_from_exp(%x: f32) -> f32 {
  %r = math.expm1 %x : f32
  func.return %r : f32
}

// CHECK-LABEL: @powers_take_logarithm_and_exp_in_two_parts
// CHECK-NOT: math.powf
// CHECK: %[[S:.*]] = arith.mulf %[[F:.*]], %[[F]] : f32
// CHECK-NEXT: %[[M:.*]] = arith.negf %[[S]] : f32
// CHECK-NEXT: math.fma %[[F]], %[[F]], %[[M]] : f32
// CHECK: arith.select
// CHECK: math.floor
// CHECK: %r = arith.select
// CHECK-NEXT: func.return
func.func @powers_take_logarithm_and_exp_in_two_parts(%x: f32, %y: f32) -> f32 {
  %r = math.powf %x, %y : f32
  func.return %r : f32
}
